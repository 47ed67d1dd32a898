// SPDX-License-Identifier: EUPL-1.2
// What asks the API. Paths, parameters, bodies and answers have the types of docs/api/openapi.yaml:
//
//   const page = await get('/incidents', { query: { state: 'open', limit: 50 } })
//   await post('/incidents/{incident}/ack', { path: { incident: '7' }, body: {} })
import type { components, paths } from '#openapi'
import { language } from './prefs'
import { csrf, forgetSession } from './session'

export type Schema<N extends keyof components['schemas']> = components['schemas'][N]
type Method = 'get' | 'post' | 'put' | 'delete'
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends { [K in M]: object } ? P : never
}[keyof paths]
type Operation<P extends keyof paths, M extends Method> = paths[P] extends { [K in M]: infer O }
  ? O
  : never
type Json<T> = T extends { content: { 'application/json': infer B } } ? B : never
export type Answer<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { responses: { 200: infer R } } ? Json<R> : never
export type Query<P extends keyof paths> =
  Operation<P, 'get'> extends { parameters: { query?: infer Q } } ? Q : never

export interface Ask<P extends keyof paths, M extends Method> {
  path?: Operation<P, M> extends { parameters: { path: infer T } } ? T : never
  query?: Operation<P, M> extends { parameters: { query?: infer Q } } ? Q : never
  body?: Operation<P, M> extends { requestBody: infer B } ? Json<B> : never
  signal?: AbortSignal | undefined
  // The version that is meant: an ETag.
  match?: string | undefined
  // Changes nothing when it is refused, so that it may be asked again.
  again?: boolean
}

// RFC 9457. Status 0: nobody answered.
export class Problem extends Error {
  readonly kind: string
  constructor(
    readonly status: number,
    readonly said: Partial<Schema<'Problem'>> = {},
    readonly after = 0
  ) {
    super(said.detail ?? said.title ?? String(status))
    this.kind = (said.type ?? '').replace('urn:vaka:problem:', '')
  }
}

async function problemOf(answer: Response): Promise<Problem> {
  const after = Number(answer.headers.get('Retry-After') ?? 0)
  const said = await answer.json().catch(() => ({}))
  return new Problem(answer.status, said as Partial<Schema<'Problem'>>, after)
}

export function address(path: string, values: object = {}, query: object = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String((values as Record<string, unknown>)[name]))
  )
  const asked = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== null && value !== '') asked.set(name, String(value))
  return `/api/v1${filled}${asked.size ? `?${asked}` : ''}`
}

type Init = RequestInit & { method: string }
const TRIES = 4
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms))

// What may be asked again is, when Vaka is busy for a moment, or a process of it begins anew.
export async function request(
  url: string,
  init: Init,
  again = init.method === 'GET'
): Promise<Response> {
  for (let left = TRIES; ; left--) {
    try {
      return await requestOnce(url, init)
    } catch (error) {
      const busy = error instanceof Problem && error.status === 503
      if (!busy || !again || left <= 1) throw error
      await pause(error.after * 1000 || 500)
    }
  }
}

// Who is not known any more is shown the login.
async function requestOnce(url: string, init: Init): Promise<Response> {
  const headers = new Headers(init.headers)
  headers.set('Accept-Language', language.value)
  if (init.method !== 'GET' && csrf()) headers.set('X-CSRF-Token', csrf())
  const answer = await fetch(url, { ...init, headers, cache: 'no-store' }).catch((error) => {
    if (init.signal?.aborted) throw error
    throw new Problem(0)
  })
  if (answer.ok) return answer
  const problem = await problemOf(answer)
  if (answer.status === 401) forgetSession()
  throw problem
}

// An answer that comes in pieces, as text; that its connection ended is a problem as any other.
export async function* readText(answer: Response, signal: AbortSignal) {
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader()
  const decoder = new TextDecoder()
  const next = () =>
    reader.read().catch((error) => {
      throw signal.aborted ? error : new Problem(0)
    })
  for (let part = await next(); !part.done; part = await next())
    yield decoder.decode(part.value, { stream: true })
}

async function ask<P extends keyof paths, M extends Method>(method: M, path: P, a: Ask<P, M>) {
  const init: Init = { method: method.toUpperCase(), headers: {} }
  if (a.signal) init.signal = a.signal
  if (a.match) init.headers = { 'If-Match': a.match }
  // An operation that takes none refuses one.
  if (a.body !== undefined) {
    init.headers = { ...init.headers, 'Content-Type': 'application/json' }
    init.body = JSON.stringify(a.body)
  }
  const url = address(path, a.path as object, a.query as object)
  const answer = await request(url, init, a.again ?? method === 'get')
  // The connection may end within the answer.
  return (await answer.json().catch((error) => {
    throw a.signal?.aborted ? error : new Problem(0)
  })) as Answer<P, M>
}

// A file as the body, such as a zip.
export async function upload<T>(
  path: PathOf<'post'>,
  a: { path: object; query: object; file: File }
): Promise<T> {
  const headers = { 'Content-Type': 'application/zip' }
  const answer = await request(address(path, a.path, a.query), {
    method: 'POST',
    headers,
    body: a.file
  })
  return (await answer.json()) as T
}

export const get = <P extends PathOf<'get'>>(path: P, a: Ask<P, 'get'> = {}) => ask('get', path, a)
export const post = <P extends PathOf<'post'>>(path: P, a: Ask<P, 'post'> = {}) =>
  ask('post', path, a)
export const put = <P extends PathOf<'put'>>(path: P, a: Ask<P, 'put'> = {}) => ask('put', path, a)
export const remove = <P extends PathOf<'delete'>>(path: P, a: Ask<P, 'delete'> = {}) =>
  ask('delete', path, a)
