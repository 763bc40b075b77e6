/** Small facts that outlive a page: values that JSON can carry, by keys. */
export interface KeptFacts {
  /** The value that was set last; `undefined` where there is none. */
  get(key: string): Promise<unknown>
  set(key: string, value: unknown): Promise<void>
  /** Forgets all of these facts, in every tab. */
  clear(): Promise<void>
}

/** Nobody is ever asked for it: the cache wants URLs for keys. */
const origin = 'https://facts.invalid/'

/**
 * Opens the facts of a name, which all tabs of an origin share. They are kept in the Cache API; where the browser has
 * none, refuses it or has no room, they are remembered as long as this realm lives. No call ever fails.
 */
export function createKeptFacts(name: string): KeptFacts {
  const cacheName = `isoplex-facts-${name}`
  const remembered = new Map<string, string>()
  const open = async (): Promise<Cache | null> => {
    if (!('caches' in globalThis)) return null
    return caches.open(cacheName).catch(() => null)
  }
  return Object.freeze<KeptFacts>({
    async get(key) {
      const text = remembered.get(key) ?? (await readText(await open(), key))
      return text === undefined ? undefined : parse(text)
    },
    async set(key, value) {
      const text = JSON.stringify(value)
      const isKept = await writeText(await open(), key, text)
      if (isKept) remembered.delete(key)
      else remembered.set(key, text)
    },
    async clear() {
      remembered.clear()
      if ('caches' in globalThis) await caches.delete(cacheName).catch(() => false)
    },
  })
}

async function readText(cache: Cache | null, key: string): Promise<string | undefined> {
  try {
    return await (await cache?.match(urlOf(key)))?.text()
  } catch {
    return undefined
  }
}

/** Whether it was kept. */
async function writeText(cache: Cache | null, key: string, text: string): Promise<boolean> {
  try {
    await cache?.put(urlOf(key), new Response(text))
    return cache !== null
  } catch {
    return false
  }
}

function urlOf(key: string): string {
  return origin + encodeURIComponent(key)
}

/** What was cut off by a crash is as good as nothing. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
