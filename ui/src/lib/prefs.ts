// SPDX-License-Identifier: EUPL-1.2
// What this browser's user has chosen; kept in the browser alone.
import { effect, type Signal, signal } from '@preact/signals'

export type Language = 'sv' | 'en'
export const THEMES = ['system', 'light', 'dark', 'contrast'] as const
export type Theme = (typeof THEMES)[number]

function remembered<T extends string>(
  name: string,
  choices: readonly T[],
  otherwise: T
): Signal<T> {
  const kept = localStorage.getItem(`vaka.${name}`) as T | null
  const chosen = signal(kept && choices.includes(kept) ? kept : otherwise)
  effect(() => localStorage.setItem(`vaka.${name}`, chosen.value))
  return chosen
}

export const language = remembered<Language>('language', ['sv', 'en'], 'sv')
export const theme = remembered<Theme>('theme', THEMES, 'system')
// Shortcuts of a single key can be switched off (WCAG 2.1.4).
export const shortcuts = remembered('shortcuts', ['on', 'off'], 'on')

export function applyPrefs() {
  const root = document.documentElement
  effect(() => {
    root.lang = language.value
  })
  effect(() => {
    root.dataset.theme = theme.value
  })
}
