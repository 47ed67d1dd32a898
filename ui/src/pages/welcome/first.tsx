// SPDX-License-Identifier: EUPL-1.2
// The first visit, once one is in: what the city is called, the first source, who is paged, a page that
// is really sent, and a drill. Each step can be passed over and come back to: it stands in the address.
import { useSignal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useLocation } from 'preact-iso/router'
import { put } from '../../lib/api'
import { organisation } from '../../lib/organisation'
import { may } from '../../lib/session'
import { texts } from '../../lib/text'
import { toastProblem } from '../../lib/toasts'
import { TextField } from '../../parts/field'
import FirstSource from '../../parts/first_source'
import { FirstDrill } from './drill'
import { FirstOnCall, FirstPage } from './paged'
import { Step } from './step'

const t = texts({
  city: ['Vad heter er organisation?', 'What is your organisation called?'],
  cityWhy: [
    'Namnet står i konsolen, så att alla ser vems vakt det är.',
    'The name stands in the console, so that everybody sees whose watch it is.'
  ],
  name: ['Namn', 'Name'],
  nameHint: ['Till exempel Ekby kommun.', 'For example Ekby kommun.'],
  save: ['Spara', 'Save'],
  is: ['Nu: {name}', 'Now: {name}'],
  source: ['Anslut den första källan', 'Connect the first source'],
  oncall: ['Vem larmas först?', 'Who is paged first?'],
  page: ['Skicka ett provlarm', 'Send a test page'],
  drill: ['Öva en gång', 'Drill once'],
  back: ['Tillbaka', 'Back'],
  next: ['Nästa', 'Next'],
  done: ['Till Nu', 'To Now'],
  forbidden: [
    'Ditt konto får inte göra det här steget. Den som sköter inställningar kan.',
    'Your account may not do this step. Who looks after settings can.'
  ]
})

function City() {
  const name = useSignal(organisation.value)
  const save = async (event: Event) => {
    event.preventDefault()
    const said = name.value.trim()
    await put('/organisation', { body: { name: said } }).then(() => {
      organisation.value = said
    }, toastProblem)
  }
  return (
    <form onSubmit={save}>
      <p class="quiet">{t('cityWhy')}</p>
      <TextField
        label={t('name')}
        hint={t('nameHint')}
        required
        value={name.value}
        onValue={(v) => (name.value = v)}
      />
      <button type="submit" class="button">
        {t('save')}
      </button>
      <p role="status">{organisation.value && t('is', { name: organisation.value })}</p>
    </form>
  )
}

interface Stop {
  id: 'city' | 'source' | 'oncall' | 'page' | 'drill'
  right: string
  show: ComponentType
}

const STOPS: Stop[] = [
  { id: 'city', right: 'config.write', show: City },
  { id: 'source', right: 'status.read', show: FirstSource },
  { id: 'oncall', right: 'config.write', show: FirstOnCall },
  { id: 'page', right: 'oncall.write', show: FirstPage },
  { id: 'drill', right: 'drills.run', show: FirstDrill }
]
const BEFORE = 2 // the password and the app

export default function First() {
  const { query, route } = useLocation()
  const at = Math.max(
    0,
    STOPS.findIndex((stop) => stop.id === query.step)
  )
  const stop = STOPS[at] as Stop
  const box = useRef<HTMLDivElement>(null)
  const shown = useRef(at)
  useEffect(() => {
    if (shown.current !== at) box.current?.focus()
    shown.current = at
  }, [at])
  const go = (to: number) => {
    const next = STOPS[to]
    route(next ? `/welcome?step=${next.id}` : '/')
  }
  const Shown = stop.show
  return (
    <div ref={box} tabIndex={-1} class="step">
      <Step
        n={BEFORE + at + 1}
        title={t(stop.id)}
        foot={
          <>
            {at > 0 && (
              <button type="button" class="button" onClick={() => go(at - 1)}>
                {t('back')}
              </button>
            )}
            <button type="button" class="button first" onClick={() => go(at + 1)}>
              {t(at + 1 < STOPS.length ? 'next' : 'done')}
            </button>
          </>
        }
      >
        {may(stop.right) ? <Shown key={stop.id} /> : <p class="quiet">{t('forbidden')}</p>}
      </Step>
    </div>
  )
}
