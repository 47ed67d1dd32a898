// SPDX-License-Identifier: EUPL-1.2
// Who sits here. The session itself is a cookie that no script reads; what is known of it is what
// GET /session says.
import { computed, signal } from '@preact/signals'
import type { components } from '#openapi'

export type Session = Extract<components['schemas']['Session'], { needs_code: false }>
export type Right = string

// undefined: not asked yet; null: nobody.
export const session = signal<Session | null | undefined>(undefined)
export const me = computed(() => session.value?.name ?? '')

export const csrf = () => session.value?.csrf ?? ''
// What Vaka itself is, its rules and its settings are the first organisation's, whoever else is here.
const FIRST: ReadonlySet<Right> = new Set([
  'status.read',
  'rules.write',
  'drills.run',
  'holds.write'
])
export const isFirst = () => session.value?.tenant === 0
// `has`: the right alone; `may`: it is of use as well.
export const has = (right: Right) => session.value?.rights.includes(right) ?? false
export const may = (right: Right) => has(right) && (isFirst() || !FIRST.has(right))

export function forgetSession() {
  session.value = null
}
