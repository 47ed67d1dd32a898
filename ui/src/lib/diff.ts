// SPDX-License-Identifier: EUPL-1.2
// Two texts, line by line: which lines went, which came, and a few around them.

export interface DiffLine {
  kind: 'same' | 'old' | 'new' | 'gap' // gap: lines that both have were left out
  text: string
}

const AROUND = 2

// Lengths of the longest common subsequences of what is behind each pair of lines.
function lengths(a: string[], b: string[]): Uint32Array[] {
  const table = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1))
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) {
      const [row, below] = [table[i] as Uint32Array, table[i + 1] as Uint32Array]
      row[j] =
        a[i] === b[j]
          ? (below[j + 1] as number) + 1
          : Math.max(below[j] as number, row[j + 1] as number)
    }
  return table
}

function wholeDiff(a: string[], b: string[]): DiffLine[] {
  const table = lengths(a, b)
  const at = (i: number, j: number) => table[i]?.[j] ?? 0
  const lines: DiffLine[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ kind: 'same', text: a[i++] as string })
      j++
    } else if (i < a.length && (j === b.length || at(i + 1, j) >= at(i, j + 1)))
      lines.push({ kind: 'old', text: a[i++] as string })
    else lines.push({ kind: 'new', text: b[j++] as string })
  }
  return lines
}

// Nothing when both are the same.
export function diffLines(before: string, behind: string): DiffLine[] {
  const linesOf = (text: string) => text.replace(/\n$/, '').split('\n')
  const all = wholeDiff(linesOf(before), linesOf(behind))
  const isNear = (n: number) =>
    all.slice(Math.max(0, n - AROUND), n + AROUND + 1).some(({ kind }) => kind !== 'same')
  const shown: DiffLine[] = []
  all.forEach((line, n) => {
    if (isNear(n)) shown.push(line)
    else if (shown.at(-1)?.kind !== 'gap') shown.push({ kind: 'gap', text: '…' })
  })
  return shown.length === 1 && shown[0]?.kind === 'gap' ? [] : shown
}
