// SPDX-License-Identifier: EUPL-1.2
// What a page shows while it waits, when there is nothing, and when it failed.
import type { ComponentChildren } from 'preact'
import type { Loaded } from '../lib/load'
import { texts } from '../lib/text'
import { sayProblem } from '../lib/toasts'

const t = texts({
  loading: ['Hämtar …', 'Loading …'],
  again: ['Försök igen', 'Try again']
})

interface NoteProps {
  kind?: 'plain' | 'attention' | 'bad'
  children: ComponentChildren
}
export function Note({ kind = 'plain', children }: NoteProps) {
  return (
    <div class={`note ${kind}`} role={kind === 'bad' ? 'alert' : undefined}>
      {children}
    </div>
  )
}

export const Empty = ({ children }: { children: ComponentChildren }) => (
  <p class="empty">{children}</p>
)

export const Loading = () => (
  <p class="loading" role="status">
    {t('loading')}
  </p>
)

export function Failed({ error, again }: { error: unknown; again: () => void }) {
  return (
    <Note kind="bad">
      <p>{sayProblem(error)}</p>
      <button type="button" class="button" onClick={again}>
        {t('again')}
      </button>
    </Note>
  )
}

interface ShowProps<T> {
  of: Loaded<T>
  children: (value: T) => ComponentChildren
}

// What was fetched; what is there stays while it is fetched again, also when that fails.
export function Show<T>({ of, children }: ShowProps<T>) {
  if (of.value === undefined && of.error === undefined) return <Loading />
  return (
    <>
      {of.error !== undefined && <Failed error={of.error} again={of.reload} />}
      {of.value !== undefined && children(of.value)}
    </>
  )
}
