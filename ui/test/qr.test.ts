// SPDX-License-Identifier: EUPL-1.2
// Codes are read again by code that shares nothing with the writer: the mask from the format, the
// bytes along the columns, the corrections as polynomials that vanish at their roots.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { qrOf } from '../src/lib/qr'

// Level M, by version: data bytes and correction bytes of each block.
const SHAPES: Record<number, [number[], number]> = {
  1: [[16], 10],
  2: [[28], 16],
  3: [[44], 26],
  5: [[43, 43], 24],
  6: [[27, 27, 27, 27], 16],
  8: [[38, 38, 39, 39], 22],
  10: [[43, 43, 43, 43, 44], 26]
}
const ALIGNED: Record<number, number[]> = {
  2: [18],
  3: [22],
  5: [30],
  6: [34],
  8: [6, 24, 42],
  10: [6, 28, 50]
}

function isFixed(x: number, y: number, size: number, version: number): boolean {
  const finder = (x < 9 && y < 9) || (x >= size - 8 && y < 9) || (x < 9 && y >= size - 8)
  const info = version >= 7 && ((x >= size - 11 && y < 6) || (y >= size - 11 && x < 6))
  const places = ALIGNED[version] ?? []
  const near = (v: number) => places.filter((p) => Math.abs(p - v) <= 2)
  const ours = near(x).flatMap((a) => near(y).map((b) => [a, b] as const))
  const last = Math.max(...places)
  const aligned = ours.some(
    ([a, b]) => !((a === 6 && b === 6) || (a === 6 && b === last) || (a === last && b === 6))
  )
  return finder || info || aligned || x === 6 || y === 6
}

const FLIPS = [
  (i: number, j: number) => (i + j) % 2,
  (i: number) => i % 2,
  (_: number, j: number) => j % 3,
  (i: number, j: number) => (i + j) % 3,
  (i: number, j: number) => (Math.floor(i / 2) + Math.floor(j / 3)) % 2,
  (i: number, j: number) => ((i * j) % 2) + ((i * j) % 3),
  (i: number, j: number) => (((i * j) % 2) + ((i * j) % 3)) % 2,
  (i: number, j: number) => (((i + j) % 2) + ((i * j) % 3)) % 2
]

function readBytes(square: boolean[][], version: number): number[] {
  const size = square.length
  const get = (x: number, y: number) => square[y]?.[x] === true
  const format = [0, 1, 2, 3, 4].map((x) => (get(x, 8) ? 1 : 0))
  const bits = Number.parseInt(format.join(''), 2) ^ 0b10101
  assert.equal(bits >> 3, 0, 'level M')
  const flip = FLIPS[bits & 7] as (i: number, j: number) => number
  const read: number[] = []
  let up = true
  for (let column = size - 1; column > 0; column -= 2) {
    if (column === 6) column--
    for (let k = 0; k < size; k++) {
      const y = up ? size - 1 - k : k
      for (const x of [column, column - 1])
        if (!isFixed(x, y, size, version)) read.push(Number(get(x, y)) ^ Number(flip(y, x) === 0))
    }
    up = !up
  }
  const bytes: number[] = []
  for (let i = 0; i + 8 <= read.length; i += 8)
    bytes.push(Number.parseInt(read.slice(i, i + 8).join(''), 2))
  return bytes
}

// GF(2^8) by logarithms.
const EXP: number[] = []
for (let i = 0, v = 1; i < 255; i++) {
  EXP.push(v)
  v = v * 2 > 255 ? (v * 2) ^ 0x11d : v * 2
}
const times = (a: number, b: number) =>
  a && b ? (EXP[(EXP.indexOf(a) + EXP.indexOf(b)) % 255] as number) : 0

function readText(text: string): { version: number; found: string } {
  const square = qrOf(text)
  const version = (square.length - 17) / 4
  const [shape, corrections] = SHAPES[version] as [number[], number]
  const bytes = readBytes(square, version)
  const blocks: number[][] = shape.map(() => [])
  let at = 0
  for (let i = 0; i < Math.max(...shape); i++)
    for (const [b, length] of shape.entries())
      if (i < length) blocks[b]?.push(bytes[at++] as number)
  const data = blocks.flat()
  for (let i = 0; i < corrections; i++)
    for (const block of blocks) block.push(bytes[at++] as number)
  for (const block of blocks)
    for (let i = 0; i < corrections; i++)
      assert.equal(
        block.reduce((sum, byte) => times(sum, EXP[i] as number) ^ byte, 0),
        0
      )
  const bits = data.map((b) => b.toString(2).padStart(8, '0')).join('')
  assert.equal(bits.slice(0, 4), '0100')
  const head = version < 10 ? 12 : 20
  const length = Number.parseInt(bits.slice(4, head), 2)
  const out = Array.from({ length }, (_, i) =>
    Number.parseInt(bits.slice(head + 8 * i, head + 8 * i + 8), 2)
  )
  return { version, found: new TextDecoder().decode(new Uint8Array(out)) }
}

for (const [length, version] of [
  [1, 1],
  [26, 2],
  [42, 3],
  [80, 5],
  [106, 6],
  [150, 8],
  [210, 10]
] as const)
  test(`a text of ${length} bytes is read again from a code of version ${version}`, () => {
    const whole = length < 2 ? 'x' : `å${'otpauth://totp/Vaka?'.repeat(12).slice(0, length - 2)}`
    assert.deepEqual(readText(whole), { version, found: whole })
  })

test('what is too long is refused', () => assert.throws(() => qrOf('x'.repeat(214)), RangeError))
