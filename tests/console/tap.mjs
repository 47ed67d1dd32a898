// SPDX-License-Identifier: EUPL-1.2
// Tests one after another, as TAP; the first that fails does not end the others.
import { strict as assert } from 'node:assert'

let n = 0
let failed = 0

export async function check(name, run) {
  n++
  const begun = performance.now()
  try {
    await run()
    console.log(`ok ${n} - ${name}`)
    console.log(`# ${((performance.now() - begun) / 1000).toFixed(1)} s`)
  } catch (error) {
    failed++
    console.log(`not ok ${n} - ${name}`)
    console.log(String(error.stack ?? error).replace(/^/gm, '# '))
  }
}

export function end() {
  console.log(`1..${n}`)
  process.exitCode = failed ? 1 : 0
}

export { assert }
