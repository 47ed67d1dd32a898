// SPDX-License-Identifier: EUPL-1.2
// What every page has: a title, which the browser's tab has as well, and what can be done.
import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'

interface PageProps {
  title: string
  head?: ComponentChildren // beside the title
  actions?: ComponentChildren
  children: ComponentChildren
}

export function Page({ title, head, actions, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} – Vaka`
  }, [title])
  return (
    <>
      <div class="page-head">
        <h1>{title}</h1>
        {head}
        {actions && <div class="actions buttons">{actions}</div>}
      </div>
      {children}
    </>
  )
}
