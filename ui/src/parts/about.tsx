// SPDX-License-Identifier: EUPL-1.2
// Whom an alert is about: its computer, unless that is told beside it, and what tells it from others.
import { Value } from './value'

export function About({ of, host }: { of: string | null; host?: string | null }) {
  const names = [...new Set((of ?? '').split('\t'))].filter((name) => name && name !== host)
  if (names.length === 0) return <>–</>
  return (
    <span class="about">
      {names.map((name) => (
        <Value key={name} value={name} entity />
      ))}
    </span>
  )
}
