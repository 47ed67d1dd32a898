// SPDX-License-Identifier: EUPL-1.2
// Who is on call: what is asked, and what is changed.
import { post, put, type Schema } from './api'

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

// What breaks rules of rest is refused with 409, and taken with `force` and a reason.
export async function changeOncall({ kind, body }: Change): Promise<Done> {
  if (kind === 'plan') return await put('/oncall/plan', { body })
  return await post(`/oncall/${kind}` as '/oncall/override', { body: body as never })
}
