// SPDX-License-Identifier: EUPL-1.2
// Short words about what was done. What went wrong stays until it is put away.
import { signal } from '@preact/signals'
import { Problem } from './api'
import { texts } from './text'

export interface Toast {
  id: number
  text: string
  bad: boolean
}

export const toasts = signal<readonly Toast[]>([])
const SHOWN_FOR = 8000
const MOST = 4
let last = 0

const t = texts({
  nobody: [
    'Vaka svarar inte just nu. Försök igen om en stund.',
    'Vaka does not answer right now. Try again in a moment.'
  ],
  changed: [
    'Någon annan hann före. Det som visas är hämtat på nytt: titta och försök igen.',
    'Somebody was faster. What is shown was fetched anew: look and try again.'
  ],
  forbidden: ['Ditt konto får inte göra det här.', 'Your account may not do this.'],
  wait: ['För många frågor. Försök igen om {n} s.', 'Too many requests. Try again in {n} s.'],
  gone: ['Det finns inte, eller inte längre.', 'It is not there, or not any more.'],
  other: ['Det gick inte: {what} (ärende {request})', 'It did not work: {what} (request {request})']
})

export function dismiss(id: number) {
  toasts.value = toasts.value.filter((toast) => toast.id !== id)
}

export function toast(text: string, bad = false) {
  const id = ++last
  // What is said again takes the place of what was said before.
  const others = toasts.value.filter((said) => said.text !== text)
  toasts.value = [...others, { id, text, bad }].slice(-MOST)
  if (!bad) setTimeout(() => dismiss(id), SHOWN_FOR)
}

// What to say of an error, in words that say what to do.
export function sayProblem(error: unknown): string {
  if (!(error instanceof Problem)) throw error
  switch (error.status) {
    case 0:
    case 503:
      return t('nobody')
    case 403:
      return t('forbidden')
    case 404:
      return t('gone')
    case 412:
      return t('changed')
    case 429:
      return t('wait', { n: error.after || 1 })
    default:
      return t('other', { what: error.message, request: error.said.request ?? '–' })
  }
}

export function toastProblem(error: unknown) {
  toast(sayProblem(error), true)
}
