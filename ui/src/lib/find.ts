// SPDX-License-Identifier: EUPL-1.2
// Answers that come as lines of JSON, and a search as it goes on.
import { useEffect, useRef, useState } from 'preact/hooks'
import { address, Problem, readText, request } from './api'

export type Row = Record<string, unknown>
export interface Asked {
  query: string
  from?: string | undefined
  to?: string | undefined
}
export interface Progress {
  bytes: number
  bytes_total: number
  records: number
  matches: number
}
export interface End {
  how: 'whole' | 'enough' | 'time' | 'ended' | 'failed'
  detail?: string
  detail_sv?: string
  records?: number
  matches?: number
  damaged?: number
}
interface Line {
  columns?: string[]
  row?: Row
  progress?: Progress
  damage?: string
  end?: End
}

// Two run at a time for each who asks (docs/api.md); others wait their turn here.
const AT_ONCE = 2
const AGAIN = 5
let running = 0
const waiting: (() => void)[] = []

async function takeTurn(signal: AbortSignal) {
  if (running >= AT_ONCE) await new Promise<void>((go) => waiting.push(go))
  else running++
  if (!signal.aborted) return
  giveTurn()
  throw new DOMException('', 'AbortError')
}

// To the next one that waits, or back.
function giveTurn() {
  const next = waiting.shift()
  if (next) next()
  else running--
}

const pause = (s: number) => new Promise((done) => setTimeout(done, s * 1000))

type LinesPath = '/search' | '/rules/check' | '/rules/try' | '/rules/draft' | '/store/verify'

async function readOnce<T>(
  path: LinesPath,
  asked: object,
  signal: AbortSignal,
  hear: (line: T) => void
) {
  const answer = await request(address(path), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(asked),
    signal
  })
  let text = ''
  for await (const part of readText(answer, signal)) {
    const lines = (text + part).split('\n')
    text = lines.pop() ?? ''
    for (const line of lines) if (line) hear(JSON.parse(line) as T)
  }
}

export async function readLines<T>(
  path: LinesPath,
  asked: object,
  signal: AbortSignal,
  hear: (line: T) => void
) {
  await takeTurn(signal)
  try {
    for (let tries = 1; ; tries++)
      try {
        return await readOnce(path, asked, signal, hear)
      } catch (error) {
        // Others may search in the same name, and one that was ended takes a moment to end.
        const busy = error instanceof Problem && error.status === 429
        if (!busy || tries === AGAIN) throw error
        await pause(error.after || 1)
      }
  } finally {
    giveTurn()
  }
}

export const find = (asked: Asked, signal: AbortSignal, hear: (line: Line) => void) =>
  readLines<Line>('/search', asked, signal, hear)

// All rows of a small answer, such as the top of something.
export async function findRows(asked: Asked, signal: AbortSignal): Promise<Row[]> {
  const rows: Row[] = []
  await find(asked, signal, ({ row, end }) => {
    if (row) rows.push(row)
    if (end?.how === 'failed') throw new Problem(503)
  })
  return rows
}

export interface Finding {
  columns: string[]
  rows: Row[]
  progress?: Progress
  damage: string[]
  end?: End
  error?: unknown
  running: boolean
  stop: () => void
}

const NOTHING: Omit<Finding, 'stop'> = { columns: [], rows: [], damage: [], running: false }
const SHOW_EVERY = 100 // ms

// One search, begun anew when it is another one or another `round`; null: none.
export function useFind(asked: Asked | null, round = 0): Finding {
  const key = asked && JSON.stringify([asked, round])
  const [shown, show] = useState<{ key: string | null; at: typeof NOTHING }>({ key, at: NOTHING })
  const stop = useRef(() => {})
  useEffect(() => {
    if (!asked) return
    const abort = new AbortController()
    let at: typeof NOTHING = { ...NOTHING, running: true }
    let timer: ReturnType<typeof setTimeout> | undefined
    const put = () => {
      clearTimeout(timer)
      timer = undefined
      if (!abort.signal.aborted) show({ key, at: { ...at, rows: [...at.rows] } })
    }
    const hear = ({ row, columns, progress, damage, end }: Line) => {
      if (row) at.rows.push(row)
      else
        at = {
          ...at,
          ...(columns && { columns }),
          ...(progress && { progress }),
          ...(end && { end })
        }
      if (damage) at.damage.push(damage)
      timer ??= setTimeout(put, SHOW_EVERY)
    }
    const finish = (more: Partial<typeof NOTHING>) => {
      at = { ...at, ...more, running: false }
      put()
    }
    at.rows = []
    at.damage = []
    put()
    find(asked, abort.signal, hear).then(
      () => finish({}),
      (error) => finish({ error })
    )
    stop.current = () => {
      finish({ end: { how: 'ended' } })
      abort.abort()
    }
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  }, [key])
  const at = shown.key === key ? shown.at : { ...NOTHING, running: !!asked }
  return { ...at, stop: () => stop.current() }
}
