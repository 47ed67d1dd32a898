// SPDX-License-Identifier: EUPL-1.2
// A value from a log, with what can be done with it wherever it stands. It is only ever text.
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import { narrow } from '../lib/kql'
import { kql, queueUrl, searchUrl } from '../lib/links'
import type { Range } from '../lib/range'
import { may } from '../lib/session'
import { texts } from '../lib/text'
import { toast } from '../lib/toasts'
import { Menu } from './menu'

const t = texts({
  copy: ['Kopiera', 'Copy'],
  copied: ['Kopierat', 'Copied'],
  only: ['Sök bara detta', 'Search for only this'],
  include: ['Lägg till i sökningen', 'Add to the search'],
  exclude: ['Uteslut ur sökningen', 'Exclude from the search'],
  group: ['Gruppera efter fältet', 'Group by the field'],
  hunt: ['Sök bakåt 30 dagar', 'Search back 30 days'],
  incidents: ['Incidenter med detta', 'Incidents that name this'],
  add: ['Anteckna i incidenten', 'Note in the incident']
})

// What surrounds a value: the filter and times of a search that it may narrow, an incident that it may
// be noted in.
interface Around extends Range {
  query?: string
  onNote?: (text: string) => void
}
export const ValueContext = createContext<Around>({})

interface ValueProps {
  field?: string | undefined
  value: string
  entity?: boolean // a user, computer, address or hash
  short?: boolean // of a computer: its name without the domain, which the menu has
}

const NAME = /^[a-z][\w-]*(?=\.[a-z])/i

export function Value({ field, value, entity = false, short = false }: ValueProps) {
  const { query = '', from, to, onNote } = useContext(ValueContext)
  const is = kql(field, value)
  const label = short ? (NAME.exec(value)?.[0] ?? value) : value
  const copy = () => navigator.clipboard.writeText(value).then(() => toast(t('copied')))
  return (
    <Menu class="value" label={label} head={label === value ? field : `${field ?? ''} ${value}`}>
      <button type="button" onClick={copy}>
        {t('copy')}
      </button>
      {may('search') && (
        <>
          <a href={searchUrl(is, from, to)}>{t('only')}</a>
          {query && <a href={searchUrl(narrow(query, is), from, to)}>{t('include')}</a>}
          <a href={searchUrl(narrow(query, `not ${is}`), from, to)}>{t('exclude')}</a>
          {field && (
            <a href={searchUrl(`${query || '*'} | count by ${field}`, from, to)}>{t('group')}</a>
          )}
          <a href={searchUrl(is, '-30d')}>{t('hunt')}</a>
        </>
      )}
      {entity && may('incidents.read') && (
        <a href={queueUrl({ entity: value })}>{t('incidents')}</a>
      )}
      {onNote && (
        <button type="button" onClick={() => onNote(field ? `${field}: ${value}` : value)}>
          {t('add')}
        </button>
      )}
    </Menu>
  )
}
