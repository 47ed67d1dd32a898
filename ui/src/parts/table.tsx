// SPDX-License-Identifier: EUPL-1.2
// A real table, in pages. A row may be where the keyboard is (j, k) and may be opened (Enter).
import { type ComponentChildren, isValidElement } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { texts } from '../lib/text'

const t = texts({
  back: ['Föregående', 'Previous'],
  forward: ['Nästa', 'Next'],
  page: ['Sida {n}', 'Page {n}']
})

export interface Column<T> {
  name: string // the heading; empty for a column of controls
  show: (row: T) => ComponentChildren
  class?: string // on a phone: `what` takes a line, `late` comes behind it, with its heading
  unseen?: string // what the heading says to who hears it
}

interface TableProps<T> {
  caption: string
  columns: Column<T>[]
  rows: T[]
  id: (row: T) => string | number
  here?: number // the row where the keyboard is
  onOpen?: (row: T, index: number) => void
}

function isControl(target: EventTarget | null) {
  return target instanceof Element && !!target.closest('a, button, input, label, [popover]')
}

// There is nothing to say: a phone leaves it out.
const isDash = (shown: ComponentChildren): boolean =>
  shown === '–' || (isValidElement(shown) && isDash(shown.props.children))

export function Table<T>({ caption, columns, rows, id, here = -1, onOpen }: TableProps<T>) {
  const body = useRef<HTMLTableSectionElement>(null)
  useEffect(() => {
    if (here >= 0) body.current?.rows[here]?.scrollIntoView({ block: 'nearest' })
  }, [here])
  return (
    <div class="table-box cards">
      <table>
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
            {columns.map((c) => (
              <th key={c.name || c.unseen} scope="col" class={c.class}>
                {c.name || <span class="unseen">{c.unseen}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          {rows.map((row, index) => (
            <tr
              key={id(row)}
              class={`${onOpen ? 'openable' : ''} ${index === here ? 'here' : ''}`}
              onClick={(event) => {
                const selected = getSelection()?.toString()
                if (!isControl(event.target) && !selected) onOpen?.(row, index)
              }}
            >
              {columns.map((c) => {
                const shown = c.show(row)
                const name = `${c.class ?? ''} ${isDash(shown) ? 'dash' : ''}`
                return (
                  <td key={c.name || c.unseen} class={name} data-label={c.name}>
                    {shown}
                  </td>
                )
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

interface PagerProps {
  number: number
  next: string | undefined
  forward: (next: string) => void
  back: () => void
}

export function Pager({ number, next, forward, back }: PagerProps) {
  if (number === 1 && !next) return null
  return (
    <nav class="pager" aria-label={t('page', { n: number })}>
      <button type="button" class="button" disabled={number === 1} onClick={back}>
        {t('back')}
      </button>
      <span aria-live="polite">{t('page', { n: number })}</span>
      <button type="button" class="button" disabled={!next} onClick={() => next && forward(next)}>
        {t('forward')}
      </button>
    </nav>
  )
}
