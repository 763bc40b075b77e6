import { expect, it } from 'vitest'
import { toDashboardAddress } from '../../runtime/deploy/dashboard-address.ts'

it.each<readonly [string | null, string]>([
  [null, 'http://127.0.0.1:8265'],
  ['', 'http://127.0.0.1:8265'],
  ['auto', 'http://127.0.0.1:8265'],
  ['http://127.0.0.1:8465', 'http://127.0.0.1:8465'],
  ['https://ray.example/cluster/', 'https://ray.example/cluster'],
  ['ray://10.0.0.7:10001', 'http://10.0.0.7:8265'],
  ['10.0.0.7:6379', 'http://10.0.0.7:8265'],
  ['head.example', 'http://head.example:8265'],
  ['[::1]:6379', 'http://[::1]:8265'],
])('reads %j', (address, dashboard) => {
  expect(toDashboardAddress(address)).toBe(dashboard)
})

it.each([
  'http://user:secret@host',
  'http://host?a=b',
  'ftp://host',
  'ray://user@host:1',
  'a b',
  'host:port',
])('refuses %j', (address) => {
  expect(() => toDashboardAddress(address)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  expect(() => toDashboardAddress(address)).not.toThrow(/secret/)
})
