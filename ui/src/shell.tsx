// SPDX-License-Identifier: EUPL-1.2
// What is around every page: where one can go, whether the watch is awake, who sits here.
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useLocation } from 'preact-iso/router'
import { findingText } from './lib/findings'
import { formatTime, now } from './lib/format'
import { type Key, keymap, useKeys } from './lib/keys'
import { connection } from './lib/live'
import { leave } from './lib/login'
import { organisation } from './lib/organisation'
import { language, shortcuts, THEMES, type Theme, theme } from './lib/prefs'
import { may, session } from './lib/session'
import { texts } from './lib/text'
import { dismiss, toasts } from './lib/toasts'
import { askedAt, findings, worst } from './lib/watch'
import { pages } from './pages'
import { Notice } from './parts/dialog'
import { Check } from './parts/field'
import { Lamp } from './parts/marks'
import { Menu } from './parts/menu'

const t = texts({
  skip: ['Till innehållet', 'Skip to content'],
  pages: ['Sidor', 'Pages'],
  awake: ['Vakan är vaken', 'The watch is awake'],
  asking: ['Frågar vakan …', 'Asking the watch …'],
  more: ['och {n} till', 'and {n} more'],
  lost: ['Återansluter …', 'Reconnecting …'],
  account: ['Inloggad som {name}', 'Logged in as {name}'],
  theme: ['Utseende', 'Appearance'],
  system: ['Som datorn', 'As the computer'],
  light: ['Ljust', 'Light'],
  dark: ['Mörkt', 'Dark'],
  contrast: ['Hög kontrast', 'High contrast'],
  other: ['English', 'Svenska'],
  keys: ['Kortkommandon', 'Keyboard shortcuts'],
  keysOn: ['Kortkommandon med en tangent är på', 'Shortcuts of a single key are on'],
  me: ['Mitt konto', 'My account'],
  wall: ['Väggtavla', 'Wallboard'],
  leave: ['Logga ut', 'Log out'],
  close: ['Stäng', 'Close'],
  messages: ['Meddelanden', 'Messages'],
  help: ['Visa kortkommandon', 'Show keyboard shortcuts'],
  search: ['Sök', 'Search'],
  goNow: ['Gå till Nu', 'Go to Now'],
  goQueue: ['Gå till kön', 'Go to the queue']
})

const Mark = () => (
  <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
    <path d="M1.5 10a8.5 8.5 0 0 1 17 0" fill="none" stroke="currentColor" stroke-width="2" />
    <circle cx="10" cy="10" r="3.5" fill="currentColor" />
    <path d="M10 15.5v3" stroke="currentColor" stroke-width="2" />
  </svg>
)

function Rail() {
  const { path } = useLocation()
  const shown = pages.filter((p) => p.name && (!p.right || may(p.right)))
  const isHere = (at: string) => (at === '/' ? path === at : path.startsWith(at))
  const list = useRef<HTMLUListElement>(null)
  // On a phone they lie in a row that is longer than the screen; the page itself does not move.
  useEffect(() => {
    const row = list.current
    const here = row?.querySelector<HTMLElement>('[aria-current=page]')
    if (row && here) row.scrollLeft = here.offsetLeft - (row.clientWidth - here.offsetWidth) / 2
  }, [path])
  return (
    <div class="rail">
      <nav aria-label={t('pages')}>
        <a class="brand" href="/">
          <Mark />
          Vaka
        </a>
        {organisation.value && <p class="brand-of small">{organisation.value}</p>}
        <ul ref={list}>
          {shown.map((p) => (
            <li key={p.path}>
              <a href={p.path} aria-current={isHere(p.path) ? 'page' : undefined}>
                {p.name?.()}
              </a>
            </li>
          ))}
        </ul>
      </nav>
    </div>
  )
}

function WatchState() {
  const list = findings.value
  const is = askedAt.value || list.length ? worst(list) : 'unknown'
  const first = list.find((f) => f.is === is) ?? list[0]
  const text = is === 'unknown' ? t('asking') : first ? findingText(first) : t('awake')
  const more = list.length > 1 ? ` ${t('more', { n: list.length - 1 })}` : ''
  return (
    <div role="status">
      <a class="watch-state" href="/">
        <Lamp is={is} />
        <span>
          {text}
          {more}
        </span>
      </a>
    </div>
  )
}

function AccountMenu({ onHelp }: { onHelp: () => void }) {
  const name = session.value?.shown || session.value?.name || ''
  const themeName = (x: Theme) => t(x)
  return (
    <Menu class="button bare" label={name} name={t('account', { name })} head={t('theme')}>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is none of a menu's */}
      <div role="group" aria-label={t('theme')}>
        {THEMES.map((x) => (
          <button
            type="button"
            key={x}
            aria-pressed={theme.value === x}
            onClick={() => {
              theme.value = x
            }}
          >
            {themeName(x)}
          </button>
        ))}
      </div>
      <hr />
      <button
        type="button"
        lang={language.value === 'sv' ? 'en' : 'sv'}
        onClick={() => {
          language.value = language.value === 'sv' ? 'en' : 'sv'
        }}
      >
        {t('other')}
      </button>
      <button type="button" onClick={onHelp}>
        {t('keys')} <kbd>?</kbd>
      </button>
      <a href="/me">{t('me')}</a>
      <a href="/wall">{t('wall')}</a>
      <button type="button" onClick={leave}>
        {t('leave')}
      </button>
    </Menu>
  )
}

function Help({ onClose }: { onClose: () => void }) {
  const keys = keymap.value.flatMap((list) => list.current)
  return (
    <Notice title={t('keys')} onClose={onClose}>
      <div class="stack">
        <Check
          label={t('keysOn')}
          value={shortcuts.value === 'on'}
          onValue={(on) => {
            shortcuts.value = on ? 'on' : 'off'
          }}
        />
        <dl class="facts">
          {keys.map((k) => (
            <>
              <dt key={`${k.key} key`}>
                <kbd>{k.key}</kbd>
              </dt>
              <dd key={`${k.key} text`}>{k.text}</dd>
            </>
          ))}
        </dl>
      </div>
    </Notice>
  )
}

export function Shell({ children }: { children: ComponentChildren }) {
  const { route } = useLocation()
  const helping = useSignal(false)
  const go = (path: string) => () => route(path)
  const keys: Key[] = [
    { key: '?', text: t('help'), run: () => (helping.value = true) },
    { key: '1', text: t('goNow'), run: go('/') }
  ]
  if (may('incidents.read')) keys.push({ key: '2', text: t('goQueue'), run: go('/queue') })
  if (may('search')) keys.push({ key: '/', text: t('search'), run: go('/search') })
  useKeys(keys)
  const is = worst(findings.value)
  return (
    <div class="shell">
      <a class="skip unseen" href="#main">
        {t('skip')}
      </a>
      <Rail />
      <header class={`watch ${is}`}>
        {may('status.read') && <WatchState />}
        {connection.value === 'lost' && (
          <span role="status" class="tag open">
            {t('lost')}
          </span>
        )}
        <span class="clock">{formatTime(new Date(now.value))}</span>
        <AccountMenu onHelp={() => (helping.value = true)} />
      </header>
      {children}
      {helping.value && <Help onClose={() => (helping.value = false)} />}
    </div>
  )
}

export function Toasts() {
  return (
    <section class="toasts" aria-label={t('messages')} role="status" aria-live="polite">
      {toasts.value.map((toast) => (
        <div key={toast.id} class={`toast ${toast.bad ? 'bad' : ''}`}>
          <p>{toast.text}</p>
          <button
            type="button"
            class="button bare"
            aria-label={t('close')}
            onClick={() => dismiss(toast.id)}
          >
            ×
          </button>
        </div>
      ))}
    </section>
  )
}
