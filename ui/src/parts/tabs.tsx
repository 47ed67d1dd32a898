// SPDX-License-Identifier: EUPL-1.2
// Tabs as the ARIA practices have them: arrows go from one to the next, one is in the order of Tab.
import type { ComponentChildren, TargetedKeyboardEvent } from 'preact'
import { useId } from 'preact/hooks'

export interface Tab {
  id: string
  name: ComponentChildren
  show: () => ComponentChildren
}

interface TabsProps {
  label: string
  tabs: Tab[]
  at: string
  onGo: (id: string) => void
}

export function Tabs({ label, tabs, at, onGo }: TabsProps) {
  const base = useId()
  const shown = tabs.find((tab) => tab.id === at) ?? tabs[0]
  const onKey = (event: TargetedKeyboardEvent<HTMLElement>) => {
    const index = tabs.indexOf(shown as Tab)
    const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1 }
    const by = steps[event.key]
    const to = by && tabs.at((index + by) % tabs.length)
    if (!to) return
    event.preventDefault()
    onGo(to.id)
    document.getElementById(`${base}-${to.id}`)?.focus()
  }
  if (!shown) return null
  return (
    <>
      <div class="tabs" role="tablist" aria-label={label} tabIndex={-1} onKeyDown={onKey}>
        {tabs.map((tab) => (
          <button
            type="button"
            key={tab.id}
            id={`${base}-${tab.id}`}
            role="tab"
            aria-selected={tab === shown}
            aria-controls={`${base}-panel`}
            tabIndex={tab === shown ? 0 : -1}
            data-name={typeof tab.name === 'string' ? tab.name : undefined}
            onClick={() => onGo(tab.id)}
          >
            {tab.name}
          </button>
        ))}
      </div>
      <div id={`${base}-panel`} role="tabpanel" aria-labelledby={`${base}-${shown.id}`}>
        {shown.show()}
      </div>
    </>
  )
}
