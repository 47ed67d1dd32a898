// SPDX-License-Identifier: EUPL-1.2
// Pages that are fetched together, as in office.ts.
export { default as Rule } from '../rule'
export { default as Rules } from '../rules'
