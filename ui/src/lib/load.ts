// SPDX-License-Identifier: EUPL-1.2
// What a page has to fetch, and how far it is.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'

export interface Loaded<T> {
  value: T | undefined // what was fetched last, also while it is fetched again
  error: unknown
  loading: boolean
  reload: () => void
  set: (change: (value: T | undefined) => T | undefined) => void
}

// `key` says what is fetched; another one begins anew. `null`: nothing yet.
export function useLoad<T>(key: string | null, fetch: (s: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ key: string | null; value?: T; error?: unknown }>({ key })
  const [round, setRound] = useState(0)
  const [loading, setLoading] = useState(key !== null)
  const latest = useRef(fetch)
  latest.current = fetch
  useEffect(() => {
    if (key === null) return
    const stop = new AbortController()
    setLoading(true)
    latest.current(stop.signal).then(
      (value) => {
        if (stop.signal.aborted) return
        setState({ key, value })
        setLoading(false)
      },
      (error) => {
        if (stop.signal.aborted) return
        setState((s) => ({ ...s, key, error }))
        setLoading(false)
      }
    )
    return () => stop.abort()
  }, [key, round])
  const reload = useCallback(() => setRound((n) => n + 1), [])
  const set = useCallback((change: (value: T | undefined) => T | undefined) => {
    setState((s) => ({ ...s, value: change(s.value) }) as typeof s)
  }, [])
  const fresh = state.key === key
  return {
    value: fresh ? state.value : undefined,
    error: fresh ? state.error : undefined,
    loading,
    reload,
    set
  }
}

// A list in pages: where each begins is known once the one before was seen.
export function usePages(key: string) {
  const [at, setAt] = useState<{ key: string; cursors: string[] }>({ key, cursors: [] })
  const cursors = at.key === key ? at.cursors : []
  return {
    number: cursors.length + 1,
    cursor: cursors[cursors.length - 1],
    forward: (next: string) => setAt({ key, cursors: [...cursors, next] }),
    back: () => setAt({ key, cursors: cursors.slice(0, -1) })
  }
}
