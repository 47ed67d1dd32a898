// SPDX-License-Identifier: EUPL-1.2
// A list that people keep: what is on it, a button that puts something there, and one in each row that ends
// it. Both ask in a dialog.
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import type { Loaded } from '../lib/load'
import { toast } from '../lib/toasts'
import { AskDialog } from './dialog'
import { Empty, Show } from './states'
import { type Column, Table } from './table'

interface Add {
  name: string
  dialog: (onClose: () => void, onDone: () => void) => ComponentChildren
}

interface End<T> {
  name: string
  may?: (row: T) => boolean
  title: string
  text: string
  action: string
  done: string
  run: (row: T) => Promise<unknown>
}

interface KeptProps<V, T> {
  of: Loaded<V>
  rows: (value: V) => T[]
  caption: string
  none: string
  columns: Column<T>[]
  id: (row: T) => string | number
  add?: Add | undefined // of who may
  end?: End<T> | undefined
  onOpen?: (row: T) => void
  below?: (value: V) => ComponentChildren
}

export function Kept<V, T>({
  of,
  rows,
  none,
  columns,
  add,
  end,
  below,
  ...table
}: KeptProps<V, T>) {
  const adding = useSignal(false)
  const ending = useSignal<T | null>(null)
  const close = () => {
    adding.value = false
    ending.value = null
  }
  const last: Column<T>[] = end
    ? [
        {
          name: '',
          unseen: end.name,
          class: 'late',
          show: (row) =>
            (end.may?.(row) ?? true) && (
              <button type="button" class="button" onClick={() => (ending.value = row)}>
                {end.name}
              </button>
            )
        }
      ]
    : []
  return (
    <div class="stack">
      {add && (
        <div class="buttons">
          <button type="button" class="button" onClick={() => (adding.value = true)}>
            {add.name}
          </button>
        </div>
      )}
      <Show of={of}>
        {(value) => {
          const shown = rows(value)
          return (
            <>
              {shown.length === 0 ? (
                <Empty>{none}</Empty>
              ) : (
                <Table {...table} columns={[...columns, ...last]} rows={shown} />
              )}
              {below?.(value)}
            </>
          )
        }}
      </Show>
      {adding.value && add?.dialog(close, of.reload)}
      {ending.value !== null && end && (
        <AskDialog
          title={end.title}
          action={end.action}
          onClose={close}
          onDone={async () => {
            await end.run(ending.value as T)
            toast(end.done)
            of.reload()
          }}
        >
          <p>{end.text}</p>
        </AskDialog>
      )}
    </div>
  )
}
