// SPDX-License-Identifier: EUPL-1.2
// Who is on call: what is asked, and what is changed.
import { post, put, type Schema } from './api'
import { formatWall } from './format'
import { language } from './prefs'
import { texts } from './text'

const t = texts({
  sms: ['sms', 'SMS'],
  voice: ['samtal', 'call'],
  mail: ['e-post', 'mail'],
  push: ['pushnotis', 'push notification'],
  teams: ['Teams', 'Teams'],
  webhook: ['webhook', 'webhook']
})

const CHANNELS = ['sms', 'voice', 'mail', 'push', 'teams', 'webhook'] as const

export function channelName(channel: string): string {
  const known = CHANNELS.find((one) => one === channel)
  return known ? t(known) : channel
}

export type Schedule = Schema<'OncallSchedule'>
export type Team = Schedule['teams'][number]
export type Shift = Schema<'OncallShift'>
export type Person = Pick<Schema<'OncallFairness'>['people'][number], 'person' | 'shown'>
export type Done = Schema<'OncallDone'>

export type Change =
  | { kind: 'override'; body: Schema<'ActOverride'> }
  | { kind: 'swap'; body: Schema<'ActSwap'> }
  | { kind: 'absence'; body: Schema<'ActAbsence'> }
  | { kind: 'drop'; body: Schema<'ActDrop'> }
  | { kind: 'disturbance'; body: Schema<'ActDisturbance'> }
  | { kind: 'temporary'; body: Schema<'ActTemporary'> }
  | { kind: 'plan'; body: Schema<'ActPlan'> }

interface FirstPerson {
  user: string
  name: string
  team: string
  channel: string
  address: string
}

// A plan to begin with: one person, always. JSON's texts are YAML's.
export function planOf({ user, name, team, channel, address }: FirstPerson): string {
  const id = user.toLowerCase().replace(/[^a-z0-9]+/g, '-')
  // The first turn begins at the first handoff from then on: before now.
  const since = formatWall(new Date(Date.now() - 8 * 86_400_000)).slice(0, 10)
  return `zone: Europe/Stockholm
people:
  - id: ${JSON.stringify(id)}
    name: ${JSON.stringify(name)}
    user: ${JSON.stringify(user)}
    language: ${language.value}
    contacts:
      - {channel: ${channel}, address: ${JSON.stringify(address)}}
teams:
  - id: vaka
    name: ${JSON.stringify(team)}
    duty: beredskap
    rotations:
      - {order: [${JSON.stringify(id)}], every: week, handoff: monday 08:00, since: ${since}}
policies:
  - id: larm
    steps:
      - {targets: [{oncall: vaka}], wait: 5m}
    repeat: 2
    fallback: [{person: ${JSON.stringify(id)}}]
rules:
  - {level: high, page: larm}
  - {level: medium, wait_until: "07:00", page: larm}
  - {never: true}
`
}

// What breaks rules of rest is refused with 409, and taken with `force` and a reason.
export async function changeOncall({ kind, body }: Change): Promise<Done> {
  if (kind === 'plan') return await put('/oncall/plan', { body })
  return await post(`/oncall/${kind}` as '/oncall/override', { body: body as never })
}
