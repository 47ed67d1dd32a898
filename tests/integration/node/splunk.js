// SPDX-License-Identifier: EUPL-1.2
// splunk.js URL TOKEN N: Splunk's own logger for its HTTP event collector, N a multiple of BATCH.
// Prints what it believes.
const { Logger } = require('splunk-logging')
const BATCH = 10

function main (url, token, n) {
  const logger = new Logger({ url, token, maxBatchCount: BATCH })
  let stored = 0
  let failed = 0
  logger.error = (why) => console.error(String(why))
  // Called once a batch.
  const sent = (error, response, body) => {
    if (!error && body.code === 0) stored += BATCH
    else failed += BATCH
    if (stored + failed === n) console.log(JSON.stringify({ stored, failed }))
  }
  for (let i = 0; i < n; i++) logger.send({ message: `VAKAMARK line-${i}.` }, sent)
}

main(process.argv[2], process.argv[3], Number(process.argv[4]))
