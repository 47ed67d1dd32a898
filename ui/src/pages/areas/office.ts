// SPDX-License-Identifier: EUPL-1.2
// Pages that are fetched together: who asks for one of them soon asks for another, and together they
// are less to fetch.
export { default as Admin } from '../admin'
export { default as Assets } from '../assets'
export { default as Health } from '../health'
export { default as Me } from '../me'
export { default as Oncall } from '../oncall'
export { default as Sources } from '../sources'
