// SPDX-License-Identifier: EUPL-1.2
// elastic.js URL TOKEN N: the bulk helper of @elastic/elasticsearch. Prints what it believes.
const { Client } = require('@elastic/elasticsearch')

async function main (url, token, n) {
  const client = new Client({ node: url, auth: { apiKey: Buffer.from(`id:${token}`).toString('base64') } })
  const documents = Array.from({ length: n }, (_, i) => ({ message: `VAKAMARK line-${i}.` }))
  const result = await client.helpers.bulk({
    datasource: documents,
    onDocument: () => ({ create: { _index: 'logs' } }),
    flushBytes: 1000
  })
  console.log(JSON.stringify({ stored: result.successful, failed: result.failed }))
}

main(process.argv[2], process.argv[3], Number(process.argv[4]))
