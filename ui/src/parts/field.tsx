// SPDX-License-Identifier: EUPL-1.2
// Fields of forms: a label that is always seen, a hint, and what is wrong beside it.
import type { JSX } from 'preact'
import { useId, useState } from 'preact/hooks'
import { texts } from '../lib/text'

const t = texts({
  choose: ['Välj fil', 'Choose a file'],
  noFile: ['Ingen fil vald', 'No file chosen']
})

interface Common {
  label: string
  hint?: string | undefined
  wrong?: string | undefined
}

function describe(id: string, { hint, wrong }: Common) {
  const ids = [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(' ')
  return ids ? { 'aria-describedby': ids } : {}
}

function Around({
  id,
  label,
  hint,
  wrong,
  children
}: Common & { id: string; children: JSX.Element }) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint && (
        <span class="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {children}
      {wrong && (
        <span class="wrong" id={`${id}-wrong`}>
          {wrong}
        </span>
      )}
    </div>
  )
}

interface TextProps extends Common {
  value: string
  onValue: (value: string) => void
  hidden?: boolean // as a password
  short?: boolean
  required?: boolean
  autoFocus?: boolean
  autocomplete?: string
  inputMode?: 'numeric' | 'text'
}

export function TextField({
  value,
  onValue,
  short = false,
  hidden = false,
  autoFocus,
  ...p
}: TextProps) {
  const id = useId()
  return (
    <Around id={id} {...p}>
      <input
        id={id}
        class={`input ${short ? 'short' : ''}`}
        type={(hidden ? 'password' : 'text') as 'text'}
        value={value}
        required={p.required}
        autocomplete={p.autocomplete ?? 'off'}
        inputMode={p.inputMode}
        spellcheck={false}
        autocapitalize="none"
        aria-invalid={p.wrong ? 'true' : undefined}
        // biome-ignore lint/a11y/noAutofocus: the first field of what was asked for
        autoFocus={autoFocus}
        onInput={(event) => onValue(event.currentTarget.value)}
        {...describe(id, p)}
      />
    </Around>
  )
}

interface AreaProps extends Common {
  value: string
  onValue: (value: string) => void
  required?: boolean
  rows?: number
}

export function TextArea({ value, onValue, required = false, rows = 4, ...p }: AreaProps) {
  const id = useId()
  return (
    <Around id={id} {...p}>
      <textarea
        id={id}
        class="input"
        rows={rows}
        value={value}
        required={required}
        aria-invalid={p.wrong ? 'true' : undefined}
        onInput={(event) => onValue(event.currentTarget.value)}
        {...describe(id, p)}
      />
    </Around>
  )
}

interface FileProps extends Common {
  accept: string
  required?: boolean
  onFile: (file: File | null) => void
}

// The browser's own button has the browser's language, and so it is not seen.
export function FileField({ accept, required = true, onFile, ...p }: FileProps) {
  const id = useId()
  const [name, setName] = useState('')
  return (
    <Around id={id} {...p}>
      <div class="file">
        <input
          id={id}
          type="file"
          accept={accept}
          required={required}
          onChange={(event) => {
            const file = event.currentTarget.files?.[0] ?? null
            setName(file?.name ?? '')
            onFile(file)
          }}
          {...describe(id, p)}
        />
        <span class="button" aria-hidden="true">
          {t('choose')}
        </span>
        <span class={name ? 'wrap' : 'quiet'}>{name || t('noFile')}</span>
      </div>
    </Around>
  )
}

interface Option {
  value: string
  text: string
}
interface ChoiceProps extends Common {
  value: string
  options: Option[]
  onValue: (value: string) => void
}

export function Select({ value, options, onValue, ...p }: ChoiceProps) {
  const id = useId()
  return (
    <Around id={id} {...p}>
      <select
        id={id}
        class="input"
        value={value}
        onChange={(event) => onValue(event.currentTarget.value)}
        {...describe(id, p)}
      >
        {options.map((o) => (
          <option key={o.value} value={o.value}>
            {o.text}
          </option>
        ))}
      </select>
    </Around>
  )
}

export function Choices({ label, value, options, onValue }: ChoiceProps) {
  const id = useId()
  return (
    <fieldset class="field">
      <legend>{label}</legend>
      <div class="choices">
        {options.map((o) => (
          <label key={o.value} class="choice">
            <input
              type="radio"
              name={id}
              value={o.value}
              checked={o.value === value}
              required
              onChange={() => onValue(o.value)}
            />
            {o.text}
          </label>
        ))}
      </div>
    </fieldset>
  )
}

interface CheckProps {
  label: string
  value: boolean
  onValue: (value: boolean) => void
}

export function Check({ label, value, onValue }: CheckProps) {
  return (
    <label class="choice">
      <input
        type="checkbox"
        checked={value}
        onChange={(event) => onValue(event.currentTarget.checked)}
      />
      {label}
    </label>
  )
}
