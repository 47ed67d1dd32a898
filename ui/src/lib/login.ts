// SPDX-License-Identifier: EUPL-1.2
// Ways in and out.
import { signal } from '@preact/signals'
import { get, Problem, post, remove, type Schema } from './api'
import { forgetSession, type Session, session } from './session'

export function accept(answer: Schema<'Session'>) {
  if (!answer.needs_code) session.value = answer as Session
}

// Nobody answered when the page began; it is tried again.
export const unanswered = signal(false)

// Who is still known by his cookie.
export async function enter() {
  for (let wait = 500; ; wait = Math.min(wait * 2, 10_000)) {
    try {
      accept(await get('/session'))
      unanswered.value = false
      return
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      unanswered.value = error.status !== 401
      if (error.status === 401) return
      await new Promise((done) => setTimeout(done, error.after * 1000 || wait))
    }
  }
}

export async function leave() {
  try {
    await remove('/session')
  } finally {
    forgetSession()
  }
}

// To the identity provider; the browser comes back to /login/return.
export async function goElsewhere(back: string) {
  const { url } = await post('/session/elsewhere')
  sessionStorage.setItem('vaka.back', back)
  location.assign(url ?? '/')
}

export async function comeBack(query: URLSearchParams) {
  const body = { state: query.get('state') ?? '', code: query.get('code') ?? '' }
  accept(await post('/session/return', { body }))
}
