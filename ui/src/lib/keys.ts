// SPDX-License-Identifier: EUPL-1.2
// Shortcuts of one key. They are silent while somebody types, while a dialog or menu is open, and
// when they are switched off; `?` tells which there are.
import { signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { shortcuts } from './prefs'

export interface Key {
  key: string
  text: string
  run: () => void
}

// The newest are asked first: a page's before the shell's.
export const keymap = signal<readonly { current: Key[] }[]>([])

function isTyping(target: EventTarget | null): boolean {
  const element = target instanceof HTMLElement ? target : null
  return !!element?.closest('input, textarea, select, dialog, [popover], [contenteditable]')
}

// Enter on a control is the control's.
function isPressing(event: KeyboardEvent): boolean {
  const element = event.target instanceof HTMLElement ? event.target : null
  return event.key === 'Enter' && !!element?.closest('a, button, summary')
}

export function onKey(event: KeyboardEvent) {
  if (shortcuts.value === 'off' || event.ctrlKey || event.metaKey || event.altKey) return
  if (event.defaultPrevented || isTyping(event.target) || isPressing(event)) return
  const found = [...keymap.value]
    .reverse()
    .flatMap((keys) => keys.current)
    .find((k) => k.key === event.key)
  if (!found) return
  event.preventDefault()
  found.run()
}

export function listenKeys() {
  document.addEventListener('keydown', onKey)
}

export function useKeys(keys: Key[]) {
  const latest = useRef(keys)
  latest.current = keys
  useEffect(() => {
    keymap.value = [...keymap.peek(), latest]
    return () => {
      keymap.value = keymap.peek().filter((k) => k !== latest)
    }
  }, [])
}
