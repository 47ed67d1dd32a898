// SPDX-License-Identifier: EUPL-1.2
// Runs the unit tests: node test/run.mjs FOLDER. Each *.test.ts is bundled into FOLDER first, for Node
// 18 reads no TypeScript. Prints TAP.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { options } from '../build.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const into = resolve(process.argv[2])
const names = readdirSync(here).filter((name) => name.endsWith('.test.ts'))
const bundled = join(into, 'all.mjs')
await build({
  ...options,
  stdin: {
    contents: ['./setup.ts', ...names.map((n) => `./${n}`)].map((n) => `import '${n}'`).join('\n'),
    resolveDir: here
  },
  platform: 'node',
  outfile: bundled
})
const run = (file) =>
  spawnSync(process.execPath, ['--test-reporter=tap', file], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
const say = (line) => process.stdout.write(`${line}\n`)
// One stream of TAP of all.
let n = 0
let bad = 0
for (const file of [bundled, join(here, 'texts.mjs'), join(here, 'size.mjs')]) {
  const { stdout, status } = run(file)
  for (const line of stdout.toString().split('\n')) {
    if (/^(not )?ok \d+/.test(line)) {
      n++
      say(line.replace(/^((?:not )?ok) \d+/, `$1 ${n}`))
    } else if (/^\s+(error|expected|actual|at)\b|^\s+[+-] /.test(line)) say(`# ${line}`)
  }
  if (status) bad++
}
say(`1..${n}`)
process.exit(bad ? 1 : 0)
