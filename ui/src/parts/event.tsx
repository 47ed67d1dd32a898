// SPDX-License-Identifier: EUPL-1.2
// An event's fields, as they were understood.
import { compare } from '../lib/format'
import { texts } from '../lib/text'
import { Value } from './value'

const t = texts({
  parsed: ['Så förstods den', 'How it was understood'],
  field: ['Fält', 'Field'],
  value: ['Värde', 'Value']
})

// Entities are what other incidents may name as well.
const ENTITY =
  /(^|\.)(user\.name|ip|host\.name|host\.hostname|address|hash\.\w+)$|^(user|remip|srcip|dstip)$/
export const isEntity = (field: string) => ENTITY.test(field)

export function valuesOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(String)
  return [typeof value === 'object' ? JSON.stringify(value) : String(value)]
}

const NONE: ReadonlySet<string> = new Set()

interface FieldsProps {
  event: Record<string, unknown>
  marked?: ReadonlySet<string>
}

export function EventFields({ event, marked = NONE }: FieldsProps) {
  const names = Object.keys(event).sort(compare)
  return (
    <div class="table-box">
      <table class="fields">
        <caption class="unseen">{t('parsed')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('field')}</th>
            <th scope="col">{t('value')}</th>
          </tr>
        </thead>
        <tbody>
          {names.map((name) => (
            <tr key={name} class={marked.has(name) ? 'here' : ''}>
              <th scope="row" class="mono">
                {name}
              </th>
              <td>
                {valuesOf(event[name]).map((v) => (
                  <Value key={v} field={name} value={v} entity={isEntity(name)} />
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
