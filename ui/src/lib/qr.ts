// SPDX-License-Identifier: EUPL-1.2
// QR codes (ISO/IEC 18004) of short texts: bytes at level M, versions 1 to 10. What is made is a square
// of dark (true) and light.

// Of level M, by version: bytes of correction in a block, blocks, where patterns are aligned.
const CORRECTION = [0, 10, 16, 26, 18, 24, 16, 18, 22, 22, 26]
const BLOCKS = [0, 1, 1, 1, 2, 2, 4, 4, 4, 5, 5]
const ALIGNED = [
  [],
  [],
  [6, 18],
  [6, 22],
  [6, 26],
  [6, 30],
  [6, 34],
  [6, 22, 38],
  [6, 24, 42],
  [6, 26, 46],
  [6, 28, 50]
]
const VERSION_MOST = 10

type Square = boolean[][]

const at = <T>(list: readonly T[], i: number): T => list[i] as T

// How many bytes a version holds, correction and all.
function capacity(version: number): number {
  const n = version >= 2 ? Math.floor(version / 7) + 2 : 0
  const aligned = n ? (25 * n - 10) * n - 55 : 0
  const modules = (16 * version + 128) * version + 64 - aligned - (version >= 7 ? 36 : 0)
  return Math.floor(modules / 8)
}

// ---- Reed-Solomon over GF(2^8), 0x11d ----

function times(x: number, y: number): number {
  let z = 0
  for (let i = 7; i >= 0; i--) z = (z << 1) ^ ((z >> 7) * 0x11d) ^ (((y >> i) & 1) * x)
  return z
}

function divisor(degree: number): number[] {
  const result = [...new Array(degree - 1).fill(0), 1]
  let root = 1
  for (let i = 0; i < degree; i++) {
    for (let j = 0; j < degree; j++)
      result[j] = times(at(result, j), root) ^ (j + 1 < degree ? at(result, j + 1) : 0)
    root = times(root, 2)
  }
  return result
}

function remainder(data: number[], by: number[]): number[] {
  let result: number[] = by.map(() => 0)
  for (const byte of data) {
    const factor = byte ^ at(result, 0)
    result = [...result.slice(1), 0].map((r, i) => r ^ times(at(by, i), factor))
  }
  return result
}

// ---- the bytes ----

function choose(length: number): { version: number; data: number } {
  for (let version = 1; version <= VERSION_MOST; version++) {
    const data = capacity(version) - at(CORRECTION, version) * at(BLOCKS, version)
    const head = version < 10 ? 2 : 3
    if (length + head <= data) return { version, data }
  }
  throw new RangeError('too long for a code')
}

function fillData(text: Uint8Array, version: number, data: number): number[] {
  const bits: number[] = []
  const put = (value: number, n: number) => {
    for (let i = n - 1; i >= 0; i--) bits.push((value >> i) & 1)
  }
  put(4, 4)
  put(text.length, version < 10 ? 8 : 16)
  for (const byte of text) put(byte, 8)
  put(0, Math.min(4, data * 8 - bits.length))
  while (bits.length % 8) bits.push(0)
  const bytes: number[] = []
  for (let i = 0; i < bits.length; i += 8)
    bytes.push(bits.slice(i, i + 8).reduce((byte, bit) => byte * 2 + bit, 0))
  for (let pad = 0xec; bytes.length < data; pad ^= 0xec ^ 0x11) bytes.push(pad)
  return bytes
}

// Blocks, of which the last ones are a byte longer, one byte of each after the other.
function interleave(data: number[], version: number): number[] {
  const n = at(BLOCKS, version)
  const short = Math.floor(data.length / n)
  const by = divisor(at(CORRECTION, version))
  const blocks: number[][] = []
  for (let i = 0, from = 0; i < n; i++) {
    const to = from + short + (i >= n - (data.length % n) ? 1 : 0)
    blocks.push(data.slice(from, to))
    from = to
  }
  const result: number[] = []
  for (let i = 0; i <= short; i++)
    for (const block of blocks) if (i < block.length) result.push(at(block, i))
  const corrections = blocks.map((block) => remainder(block, by))
  for (let i = 0; i < by.length; i++) for (const c of corrections) result.push(at(c, i))
  return result
}

// ---- the square ----

interface Drawing {
  size: number
  dark: Square
  fixed: Square // not data
}

function set(d: Drawing, x: number, y: number, dark: boolean) {
  if (x < 0 || y < 0 || x >= d.size || y >= d.size) return
  at(d.dark, y)[x] = dark
  at(d.fixed, y)[x] = true
}

function drawFinder(d: Drawing, cx: number, cy: number) {
  for (let y = -4; y <= 4; y++)
    for (let x = -4; x <= 4; x++) {
      const far = Math.max(Math.abs(x), Math.abs(y))
      set(d, cx + x, cy + y, far !== 2 && far !== 4)
    }
}

function drawAligned(d: Drawing, version: number) {
  const places = at(ALIGNED, version)
  const last = places.length - 1
  places.forEach((cx, i) => {
    places.forEach((cy, j) => {
      const corner = (i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0)
      if (corner) return
      for (let y = -2; y <= 2; y++)
        for (let x = -2; x <= 2; x++)
          set(d, cx + x, cy + y, Math.max(Math.abs(x), Math.abs(y)) !== 1)
    })
  })
}

// A code of `bits` bits with its remainder by a polynomial behind it.
function withRemainder(value: number, bits: number, polynomial: number): number {
  let rest = value
  for (let i = 0; i < bits; i++) rest = (rest << 1) ^ ((rest >> (bits - 1)) * polynomial)
  return (value << bits) | rest
}

function drawFormat(d: Drawing, mask: number) {
  const bits = withRemainder(mask, 10, 0x537) ^ 0x5412
  const bit = (i: number) => ((bits >> i) & 1) === 1
  for (let i = 0; i < 15; i++) {
    const along = i < 6 ? i : i < 8 ? i + 1 : i < 9 ? 7 : 14 - i
    if (i < 8) set(d, 8, along, bit(i))
    else set(d, along, 8, bit(i))
    if (i < 8) set(d, d.size - 1 - i, 8, bit(i))
    else set(d, 8, d.size - 15 + i, bit(i))
  }
  set(d, 8, d.size - 8, true)
}

function drawVersion(d: Drawing, version: number) {
  if (version < 7) return
  const bits = withRemainder(version, 12, 0x1f25)
  for (let i = 0; i < 18; i++) {
    const a = d.size - 11 + (i % 3)
    const b = Math.floor(i / 3)
    set(d, a, b, ((bits >> i) & 1) === 1)
    set(d, b, a, ((bits >> i) & 1) === 1)
  }
}

function begin(version: number): Drawing {
  const size = version * 4 + 17
  const empty = () => Array.from({ length: size }, () => new Array<boolean>(size).fill(false))
  const d = { size, dark: empty(), fixed: empty() }
  for (let i = 0; i < size; i++) {
    set(d, 6, i, i % 2 === 0)
    set(d, i, 6, i % 2 === 0)
  }
  drawFinder(d, 3, 3)
  drawFinder(d, size - 4, 3)
  drawFinder(d, 3, size - 4)
  drawAligned(d, version)
  drawFormat(d, 0)
  drawVersion(d, version)
  return d
}

// From the lower right, two columns at a time, up and down.
function drawData(d: Drawing, bytes: number[]) {
  let i = 0
  for (let right = d.size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5
    for (let step = 0; step < d.size; step++) {
      const up = ((right + 1) & 2) === 0
      const y = up ? d.size - 1 - step : step
      for (const x of [right, right - 1]) {
        if (at(at(d.fixed, y), x) || i >= bytes.length * 8) continue
        at(d.dark, y)[x] = ((at(bytes, i >> 3) >> (7 - (i & 7))) & 1) === 1
        i++
      }
    }
  }
}

const MASKS: ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0
]

function masked(d: Drawing, mask: number): Square {
  const flips = at(MASKS, mask)
  const dark = d.dark.map((row, y) =>
    row.map((v, x) => v !== (!at(at(d.fixed, y), x) && flips(x, y)))
  )
  const copy = { ...d, dark, fixed: d.fixed.map((row) => [...row]) }
  drawFormat(copy, mask)
  return copy.dark
}

// Long runs and an uneven share of dark are hard to read; squares of two are, too.
function penalty(dark: Square): number {
  const lines = [...dark, ...dark.map((_, x) => dark.map((row) => at(row, x)))]
  let result = 0
  for (const line of lines) {
    const text = line.map((v) => (v ? 1 : 0)).join('')
    for (const run of text.match(/0{5,}|1{5,}/g) ?? []) result += run.length - 2
    result += 40 * (text.match(/(?=00001011101|10111010000)/g)?.length ?? 0)
  }
  for (let y = 1; y < dark.length; y++)
    for (let x = 1; x < dark.length; x++) {
      const v = at(at(dark, y), x)
      const alike = [at(dark, y)[x - 1], at(dark, y - 1)[x], at(dark, y - 1)[x - 1]]
      if (alike.every((other) => other === v)) result += 3
    }
  const share = dark.flat().filter(Boolean).length / dark.length ** 2
  return result + 10 * Math.floor(Math.abs(share - 0.5) * 20)
}

export function qrOf(text: string): Square {
  const bytes = new TextEncoder().encode(text)
  const { version, data } = choose(bytes.length)
  const d = begin(version)
  drawData(d, interleave(fillData(bytes, version, data), version))
  const squares = MASKS.map((_, mask) => masked(d, mask))
  return squares.reduce((best, square) => (penalty(square) < penalty(best) ? square : best))
}
