// SPDX-License-Identifier: EUPL-1.2
// All of an answer as a file. Cells that a spreadsheet would run are made text (OWASP, "CSV Injection").

import { saveFile } from '../../lib/files'
import { type Asked, find, type Row } from '../../lib/find'

export const CSV_MOST = 1_000_000 // rows

const quote = (text: string) => (/[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text)

export function csvCell(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number') return String(value)
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return quote(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text)
}

export const csvLine = (columns: string[], row: Row) =>
  `${columns.map((c) => csvCell(row[c])).join(',')}\r\n`

// Tells how many rows there are so far; gives how many there were.
export async function exportAs(
  kind: 'json' | 'csv',
  asked: Asked,
  signal: AbortSignal,
  tell: (n: number) => void
): Promise<number> {
  const parts: string[] = []
  let columns: string[] = []
  let n = 0
  await find(asked, signal, (line) => {
    if (line.columns) {
      columns = line.columns
      if (kind === 'csv') parts.push(`${columns.map(csvCell).join(',')}\r\n`)
    }
    if (!line.row || n >= CSV_MOST) return
    parts.push(kind === 'csv' ? csvLine(columns, line.row) : `${JSON.stringify(line.row)}\n`)
    if (++n % 1000 === 0) tell(n)
  })
  const type = kind === 'csv' ? 'text/csv;charset=utf-8' : 'application/x-ndjson'
  saveFile(
    `vaka-${new Date().toISOString().slice(0, 19).replace(/:/g, '')}.${kind === 'csv' ? 'csv' : 'ndjson'}`,
    type,
    [...(kind === 'csv' ? ['\ufeff'] : []), ...parts]
  )
  return n
}
