// SPDX-License-Identifier: EUPL-1.2
// Addresses of pages, and queries that lead there.

const query = (values: Record<string, string | undefined>) => {
  const kept = Object.entries(values).filter((pair): pair is [string, string] => !!pair[1])
  return kept.length ? `?${new URLSearchParams(kept)}` : ''
}

export const searchUrl = (q: string, from?: string, to?: string) =>
  `/search${query({ q, from, to })}`
export const incidentUrl = (id: number | string) => `/incidents/${id}`
export const queueUrl = (filters: Record<string, string | undefined> = {}) =>
  `/queue${query(filters)}`

// KQL: a value in quotes, in which \ and " are escaped (docs/search.md).
export function kql(field: string | undefined, value: string): string {
  const quoted = `"${value.replace(/[\\"]/g, '\\$&')}"`
  return field ? `${field}: ${quoted}` : quoted
}

// Where a login leads back to: a page of this console, and nothing else (open redirects).
export function ownPath(to: string | null | undefined): string {
  if (!to || !/^\/(?![/\\])/.test(to)) return '/'
  const url = new URL(to, location.origin)
  return url.origin === location.origin ? url.pathname + url.search : '/'
}
