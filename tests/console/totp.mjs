// SPDX-License-Identifier: EUPL-1.2
// A code as an app shows it (RFC 6238): SHA-1, 30 s, six digits.
import { createHmac } from 'node:crypto'

const STEP = 30_000
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

function codeOf(secret, at) {
  const bits = [...secret.replace(/[\s=]/g, '')].map((c) => ALPHABET.indexOf(c).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)))
  const step = Buffer.alloc(8)
  step.writeBigUInt64BE(BigInt(Math.floor(at / STEP)))
  const mac = createHmac('sha1', key).update(step).digest()
  const from = mac[19] & 15
  return String((mac.readUInt32BE(from) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

// Types codes until `send` says that one was taken: each with some seconds to live, as a code that is refused when its
// step has gone says nothing about who takes it.
export async function typeCode(secret, send) {
  for (let tries = 5; tries > 0; tries--) {
    const left = STEP - (Date.now() % STEP)
    if (left < 12_000) await new Promise((done) => setTimeout(done, left))
    if (await send(codeOf(secret, Date.now()))) return
  }
  throw new Error('no code was taken')
}
