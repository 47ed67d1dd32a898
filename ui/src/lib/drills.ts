// SPDX-License-Identifier: EUPL-1.2
// Recorded attacks: which one it is, in words.
import type { Schema } from './api'
import { pick } from './text'

export type Drills = NonNullable<Schema<'Drills'>['drills']>

// With its name, by which it is begun and told of; the name alone of what somebody else recorded.
export function drillText({ about }: Drills, name: string): string {
  const text = pick(about.find(({ scenario }) => scenario === name))
  return text ? `${text} (${name})` : name
}
