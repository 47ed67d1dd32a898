// SPDX-License-Identifier: EUPL-1.2
// What happens, as it happens: GET /events (server-sent events), read with fetch so that a refusal
// can be told from a lost connection. A stream goes on behind the last id that came; the server says
// one as it begins, so that nothing is missed of what happens before the first event.
import { signal } from '@preact/signals'
import { address, Problem, readText, request, type Schema } from './api'

export type Happening =
  | { kind: 'alert'; data: Schema<'AlertLine'> }
  | { kind: 'incident'; data: Schema<'Incident'> }
  // It is listened from now on: what was fetched before may be older.
  | { kind: 'begun' }
type Hear = (what: Happening) => void

// `lost`: it is tried again, and nothing is missed.
export const connection = signal<'off' | 'on' | 'lost'>('off')

const SILENT_AFTER = 40_000 // ms; the server says something every 15 s
const WAIT_MOST = 5000

const hearers = new Set<Hear>()
let running: AbortController | null = null
let lastId = ''

export function listen(hear: Hear): () => void {
  hearers.add(hear)
  return () => hearers.delete(hear)
}

interface Event {
  id: string
  event: string // '' of the id that a stream begins with
  data: string
}

// Takes whole events off the front of what came; the rest is the beginning of the next one.
export function takeEvents(text: string): { events: Event[]; rest: string } {
  const blocks = text.split('\n\n')
  const rest = blocks.pop() ?? ''
  const events: Event[] = []
  for (const block of blocks) {
    const event: Event = { id: '', event: '', data: '' }
    for (const line of block.split('\n')) {
      const at = line.indexOf(': ')
      const name = line.slice(0, at)
      if (name === 'id' || name === 'event' || name === 'data') event[name] = line.slice(at + 2)
    }
    if (event.id) events.push(event)
  }
  return { events, rest }
}

const say = (what: Happening) => {
  for (const hear of hearers) hear(what)
}

function tell({ id, event, data }: Event) {
  const begun = lastId === ''
  lastId = id
  if (begun) say({ kind: 'begun' })
  if (event) say({ kind: event, data: JSON.parse(data) } as Happening)
}

// One stream until it ends; the server ends each after a while.
async function follow(stop: AbortController) {
  const headers: HeadersInit = lastId ? { 'Last-Event-ID': lastId } : {}
  const quiet = new AbortController()
  const give = () => quiet.abort()
  stop.signal.addEventListener('abort', give)
  let timer = setTimeout(give, SILENT_AFTER)
  try {
    const answer = await request(address('/events'), {
      method: 'GET',
      headers,
      signal: quiet.signal
    })
    connection.value = 'on'
    let text = ''
    for await (const part of readText(answer, quiet.signal)) {
      clearTimeout(timer)
      timer = setTimeout(give, SILENT_AFTER)
      const taken = takeEvents(text + part)
      text = taken.rest
      taken.events.forEach(tell)
    }
  } finally {
    clearTimeout(timer)
    stop.signal.removeEventListener('abort', give)
  }
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms))

async function keepFollowing(stop: AbortController) {
  let wait = 500
  while (!stop.signal.aborted) {
    try {
      await follow(stop)
      wait = 500
    } catch (error) {
      if (stop.signal.aborted) return
      if (error instanceof Problem && (error.status === 401 || error.status === 403)) {
        connection.value = 'off'
        return
      }
      if (connection.value === 'on') wait = 500
      connection.value = 'lost'
    }
    await pause(wait)
    wait = Math.min(wait * 2, WAIT_MOST)
  }
}

export function startLive() {
  stopLive()
  running = new AbortController()
  void keepFollowing(running)
}

export function stopLive() {
  running?.abort()
  running = null
  lastId = ''
  connection.value = 'off'
}
