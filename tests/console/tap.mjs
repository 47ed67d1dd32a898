// SPDX-License-Identifier: EUPL-1.2
// Tests one after another, as TAP; the first that fails does not end the others.
import { strict as assert } from 'node:assert'

let n = 0
let failed = 0
const witnesses = []

// Asked for a text when a check fails, such as what stands on the screen.
export const onFailure = (witness) => witnesses.push(witness)

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
    for (const text of [String(error.stack ?? error), ...(await Promise.all(witnesses.map((w) => w())))])
      console.log(text.replace(/^/gm, '# '))
  }
}

export function end() {
  console.log(`1..${n}`)
  process.exitCode = failed ? 1 : 0
}

export { assert }
