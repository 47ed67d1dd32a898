// SPDX-License-Identifier: EUPL-1.2
// One step of the first visit.
import type { ComponentChildren } from 'preact'
import { texts } from '../../lib/text'
import { Page } from '../../parts/page'

const t = texts({ step: ['Steg {n} av {of}', 'Step {n} of {of}'] })

export const STEPS = 7

interface StepProps {
  n: number
  title: string
  children: ComponentChildren
  foot?: ComponentChildren
}

export function Step({ n, title, children, foot }: StepProps) {
  return (
    <div class="gate wide">
      <Page
        title={title}
        head={<span class="gate-brand">Vaka · {t('step', { n, of: STEPS })}</span>}
      >
        <div class="stack">{children}</div>
      </Page>
      {foot && <div class="gate-foot buttons">{foot}</div>}
    </div>
  )
}
