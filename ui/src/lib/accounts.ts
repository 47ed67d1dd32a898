// SPDX-License-Identifier: EUPL-1.2
// What is said of accounts; moments are in seconds.
import type { Schema } from './api'

export type Account = Schema<'Account'>
export type Token = Schema<'Tokens'>['tokens'][number]
export type Session = Schema<'Sessions'>['sessions'][number]
export interface GivenPassword {
  name: string
  password?: string
  good_until?: number
}

export const atSeconds = (seconds: number | null | undefined) =>
  seconds ? new Date(seconds * 1000).toISOString() : null

export const rolesOf = (account: Account) => account.roles.find((r) => r.tenant === 0)?.roles ?? []
