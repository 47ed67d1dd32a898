// SPDX-License-Identifier: EUPL-1.2
// A button with a menu below it: a native popover, which Escape and a click elsewhere close, and
// which gives the focus back.
import type { ComponentChildren, TargetedKeyboardEvent, TargetedToggleEvent } from 'preact'
import { useId, useRef } from 'preact/hooks'

interface MenuProps {
  label: ComponentChildren
  name?: string // of the button, when what it shows does not say it
  class?: string
  head?: ComponentChildren
  children: ComponentChildren
}

const GAP = 4

function place(menu: HTMLElement, button: HTMLElement) {
  const at = button.getBoundingClientRect()
  const below = at.bottom + GAP + menu.offsetHeight <= innerHeight
  const top = below ? at.bottom + GAP : Math.max(GAP, at.top - GAP - menu.offsetHeight)
  menu.style.top = `${top}px`
  const fits = at.left + menu.offsetWidth + GAP <= innerWidth
  menu.style.left = `${fits ? at.left : Math.max(GAP, at.right - menu.offsetWidth)}px`
}

function itemsOf(menu: HTMLElement) {
  return [...menu.querySelectorAll<HTMLElement>('a[href], button')]
}

function onArrow(event: TargetedKeyboardEvent<HTMLElement>) {
  const items = itemsOf(event.currentTarget)
  const at = items.indexOf(document.activeElement as HTMLElement)
  const steps: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }
  const to = steps[event.key]
  if (to === undefined) return
  event.preventDefault()
  items.at(to % items.length)?.focus()
}

export function Menu({ label, name, head, children, ...rest }: MenuProps) {
  const id = useId()
  const button = useRef<HTMLButtonElement>(null)
  const menu = useRef<HTMLDivElement>(null)
  const onToggle = (event: TargetedToggleEvent<HTMLElement>) => {
    if (event.newState !== 'open' || !menu.current || !button.current) return
    place(menu.current, button.current)
    itemsOf(menu.current)[0]?.focus()
  }
  return (
    <>
      <button
        type="button"
        ref={button}
        popoverTarget={id}
        aria-haspopup="true"
        class={rest.class ?? 'button'}
        {...(name ? { 'aria-label': name } : {})}
      >
        {label}
      </button>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: keys and clicks of the items within */}
      <div
        id={id}
        ref={menu}
        popover="auto"
        class="menu"
        onToggle={onToggle}
        onKeyDown={onArrow}
        onClick={(event) => {
          if ((event.target as HTMLElement).closest('a, button')) menu.current?.hidePopover()
        }}
      >
        {head && <div class="menu-head">{head}</div>}
        {children}
      </div>
    </>
  )
}
