// SPDX-License-Identifier: EUPL-1.2
// otlp.js URL TOKEN N proto|http: OpenTelemetry's exporter, protobuf or JSON. Prints what it believes.
const { LoggerProvider, BatchLogRecordProcessor } = require('@opentelemetry/sdk-logs')
const exporters = {
  proto: '@opentelemetry/exporter-logs-otlp-proto',
  http: '@opentelemetry/exporter-logs-otlp-http'
}

async function main (url, token, n, kind) {
  const { OTLPLogExporter } = require(exporters[kind])
  const exporter = new OTLPLogExporter({
    url: `${url}/v1/logs`, headers: { Authorization: `Bearer ${token}` }, compression: 'gzip'
  })
  let stored = 0
  let failed = 0
  const send = exporter.export.bind(exporter)
  exporter.export = (records, done) => send(records, (result) => {
    if (result.code === 0) stored += records.length
    else failed += records.length
    done(result)
  })
  const provider = new LoggerProvider()
  provider.addLogRecordProcessor(new BatchLogRecordProcessor(exporter))
  const logger = provider.getLogger('test')
  for (let i = 0; i < n; i++) logger.emit({ body: `VAKAMARK line-${i}.`, severityText: 'INFO' })
  await provider.shutdown()
  console.log(JSON.stringify({ stored, failed }))
}

main(process.argv[2], process.argv[3], Number(process.argv[4]), process.argv[5])
