// SPDX-License-Identifier: EUPL-1.2
// What the organisation that keeps watch is called; '' until somebody has said it.
import { signal } from '@preact/signals'
import { get } from './api'

export const organisation = signal('')

// Without an answer the console has no name to show, and nothing else is missing.
export function askOrganisation() {
  get('/organisation').then(
    ({ name }) => {
      organisation.value = name ?? ''
    },
    () => {}
  )
}
