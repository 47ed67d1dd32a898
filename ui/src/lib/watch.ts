// SPDX-License-Identifier: EUPL-1.2
// Is the watch awake? Told from what the processes say about themselves (docs/status.md), asked for
// again and again while somebody may see it.
import { signal } from '@preact/signals'
import type { Condition } from '../parts/marks'
import { get, Problem, type Schema } from './api'
import { may } from './session'

export interface Finding {
  key: FindingKey
  line?: { sv: string; en: string } // in words of Vaka's own
  is: Condition
  values: Record<string, string | number>
}
export type FindingKey =
  | 'asleep'
  | 'silent'
  | 'behind'
  | 'quarantined'
  | 'disk'
  | 'diskFull'
  | 'unproven'
  | 'quietSources'
  | 'lost'
  | 'clock'
  | 'refusedRules'
  | 'unreachable'

// What the canary has proven: a signal that went through every stage.
export const awake = signal<Schema<'Awake'> | undefined>(undefined)
export const status = signal<Schema<'Status'> | undefined>(undefined)
export const findings = signal<readonly Finding[]>([])
export const askedAt = signal(0)

const EVERY = 10_000 // ms
const BEHIND_AFTER = 60 // s

type Said = Record<string, unknown> | null | undefined
const number = (said: Said, member: string) => Number(said?.[member] ?? 0)

// Records and requests that were lost, for whatever reason, over all sources.
function lostOf(collect: Said): number {
  let lost = 0
  for (const kind of ['records', 'requests'] as const) {
    const figures = collect?.[kind] as { lost?: Record<string, number> } | undefined
    for (const n of Object.values(figures?.lost ?? {})) lost += n
  }
  return lost
}

const silentOf = (p: Told['processes']) => Object.keys(p).filter((name) => p[name] === null)

type Proof = Pick<Schema<'Awake'>, 'awake' | 'broken' | 'line' | 'proof'>
export interface Told {
  processes: Record<string, object | null>
  supervisor: object | null
}

// `before`: processes that said nothing the last time. One that has just begun anew, as some do with new
// rules, says nothing for a moment.
export function judge(
  { processes: p, supervisor }: Told,
  proof?: Proof,
  before?: ReadonlySet<string>
): Finding[] {
  const found: Finding[] = []
  const add = (holds: boolean, key: FindingKey, is: Condition, values: Finding['values'] = {}) => {
    if (holds) found.push({ key, is, values })
  }
  // Who has switched the canary off has chosen that; nothing is broken.
  const is = proof?.broken === 'nothing' ? 'attention' : 'bad'
  if (proof && !proof.awake) found.push({ key: 'asleep', is, values: {}, line: proof.line })
  const silent = silentOf(p).filter((name) => !before || before.has(name))
  const detect = p.detect as Said
  const disk = (p.store as Said)?.disk
  add(silent.length > 0, 'silent', 'bad', { names: silent.join(', ') })
  add(number(detect, 'lag_s') > BEHIND_AFTER, 'behind', 'bad', { n: number(detect, 'lag_s') })
  add(disk === 'full' || disk === 'critical', 'diskFull', 'bad')
  add(disk === 'warn', 'disk', 'attention')
  const failed = (proof?.proof?.ways ?? []).filter((way) => way.state === 'failed')
  const ways = failed.map((way) => `${way.channel} (${way.provider})`).join(', ')
  add(failed.length > 0, 'unproven', 'attention', { ways })
  const quiet = number(p.triage as Said, 'sources_silent')
  add(quiet > 0, 'quietSources', 'attention', { n: quiet })
  const lost = lostOf(p.collect as Said)
  add(lost > 0, 'lost', 'attention', { n: lost })
  const quarantined = number(detect, 'quarantined')
  add(quarantined > 0, 'quarantined', 'attention', { n: quarantined })
  const refused = number(detect, 'refused')
  add(refused > 0, 'refusedRules', 'attention', { n: refused })
  add((supervisor as Said)?.clock === 'unsynchronised', 'clock', 'attention')
  return found
}

export function worst(of: readonly Finding[]): Condition {
  if (of.some((f) => f.is === 'bad')) return 'bad'
  return of.length > 0 ? 'attention' : 'well'
}

let silentBefore: ReadonlySet<string> = new Set()
let timer: ReturnType<typeof setInterval> | undefined

async function ask() {
  if (document.hidden || !may('status.read')) return
  try {
    ;[status.value, awake.value] = await Promise.all([get('/status'), get('/awake')])
    findings.value = judge(status.value, awake.value, silentBefore)
    silentBefore = new Set(silentOf(status.value.processes))
    askedAt.value = Date.now()
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    if (error.status !== 0 && error.status !== 503) return
    findings.value = [{ key: 'unreachable', is: 'bad', values: {} }]
  }
}

export function startWatch() {
  stopWatch()
  void ask()
  timer = setInterval(ask, EVERY)
  document.addEventListener('visibilitychange', ask)
}

export function stopWatch() {
  clearInterval(timer)
  document.removeEventListener('visibilitychange', ask)
  status.value = undefined
  awake.value = undefined
  findings.value = []
  askedAt.value = 0
}
