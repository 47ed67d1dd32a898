// SPDX-License-Identifier: EUPL-1.2
// A page that is marked as a test, really sent to somebody by each of his contacts, and what became of
// it, told while it happens.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { get, post } from '../lib/api'
import { texts } from '../lib/text'
import { toastProblem } from '../lib/toasts'
import { byPerson, isOpen, type Paged, Person, pageState } from './paging'

const t = texts({
  send: ['Skicka ett provlarm', 'Send a test page'],
  again: ['Skicka ett till', 'Send another one'],
  sent: ['Provlarm {id}: {state}', 'Test page {id}: {state}'],
  answer: [
    'Svara på det så som du skulle svara på ett larm på natten.',
    'Answer it as you would answer a page at night.'
  ]
})

const ASK_EVERY = 1500 // ms

export function PageTest({ person }: { person: string }) {
  const page = useSignal<Paged | null>(null)
  const id = page.value?.id
  const waits = isOpen(page.value)
  useEffect(() => {
    if (!id || !waits) return
    const ask = () =>
      get('/pages/{page}', { path: { page: String(id) } }).then((so) => {
        page.value = so
      }, toastProblem)
    const timer = setInterval(ask, ASK_EVERY)
    return () => clearInterval(timer)
  }, [id, waits])
  const send = async () => {
    page.value = await post('/oncall/test', { body: { person } }).catch((problem) => {
      toastProblem(problem)
      return page.value
    })
  }
  return (
    <div class="stack">
      <div class="buttons">
        <button type="button" class="button" onClick={send}>
          {t(page.value ? 'again' : 'send')}
        </button>
      </div>
      <div role="status">
        {page.value && (
          <div class="note">
            <p>
              <strong>
                {t('sent', { id: page.value.id, state: pageState(page.value.state) })}
              </strong>
            </p>
            <ul class="plain-list">
              {byPerson(page.value.told).map((p) => (
                <Person key={p.person} told={p} tries />
              ))}
            </ul>
            {waits && <p class="quiet">{t('answer')}</p>}
          </div>
        )}
      </div>
    </div>
  )
}
