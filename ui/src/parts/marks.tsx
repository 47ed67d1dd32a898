// SPDX-License-Identifier: EUPL-1.2
// Small signs: each is a word; colour and shape only repeat it.
import { formatAgo, formatTime, now } from '../lib/format'
import { texts } from '../lib/text'

const t = texts({
  critical: ['kritisk', 'critical'],
  high: ['hög', 'high'],
  medium: ['medel', 'medium'],
  low: ['låg', 'low'],
  informational: ['information', 'informational'],
  new: ['ny', 'new'],
  acknowledged: ['kvitterad', 'acknowledged'],
  triaged: ['bedömd', 'triaged'],
  contained: ['hejdad', 'contained'],
  closed: ['stängd', 'closed'],
  merged: ['sammanslagen', 'merged'],
  true_positive: ['verkligt angrepp', 'true positive'],
  benign: ['ofarligt', 'benign'],
  false_positive: ['falsklarm', 'false positive'],
  undetermined: ['går ej att avgöra', 'undetermined'],
  never: ['inte än', 'not yet']
})

export const LEVELS = ['critical', 'high', 'medium', 'low', 'informational'] as const
export type Level = (typeof LEVELS)[number]
export const levelOf = (text: string | null | undefined): Level =>
  LEVELS.find((level) => level === text) ?? 'informational'
export const levelName = (level: Level) => t(level)

export function Severity({ level }: { level: string | null | undefined }) {
  const known = levelOf(level)
  const lit = 4 - LEVELS.indexOf(known)
  return (
    <span class={`severity ${known}`}>
      <span class="gauge" aria-hidden="true">
        {[1, 2, 3, 4].map((bar) => (
          <i key={bar} class={bar <= lit ? 'lit' : ''} />
        ))}
      </span>
      {t(known)}
    </span>
  )
}

export const STATES = ['new', 'acknowledged', 'triaged', 'contained', 'closed', 'merged'] as const
export type State = (typeof STATES)[number]

export function StateTag({ state }: { state: State }) {
  const kind = state === 'new' ? 'open' : state === 'closed' || state === 'merged' ? 'done' : ''
  return <span class={`tag ${kind}`}>{t(state)}</span>
}

export const DISPOSITIONS = ['true_positive', 'benign', 'false_positive', 'undetermined'] as const
export type Disposition = (typeof DISPOSITIONS)[number]
export const dispositionName = (d: Disposition) => t(d)

// A moment: when it was, and how long ago; the whole of it on hovering. `ago` alone where room is
// short, `at` where the moment is what matters.
export function Time({ at, show = 'both' }: { at: string | null | undefined; show?: Shown }) {
  if (!at) return <span class="quiet">{t('never')}</span>
  const date = new Date(at)
  const ago = formatAgo((date.getTime() - now.value) / 1000)
  return (
    <time dateTime={at} title={formatTime(date, 'whole')}>
      {show !== 'ago' && formatTime(date)}
      {show === 'both' && ' '}
      {show !== 'at' && <span class={show === 'both' ? 'quiet small' : ''}>{ago}</span>}
    </time>
  )
}
type Shown = 'both' | 'ago' | 'at'

export type Condition = 'well' | 'attention' | 'bad' | 'unknown'
export const Lamp = ({ is }: { is: Condition }) => <span class={`lamp ${is}`} aria-hidden="true" />
