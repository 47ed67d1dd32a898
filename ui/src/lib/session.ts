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
export const may = (right: Right) => session.value?.rights.includes(right) ?? false

export function forgetSession() {
  session.value = null
}
