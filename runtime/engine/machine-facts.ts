/** What a machine and the runtime on it offer a provider: plain data, gathered by an adapter. */
export interface MachineFacts {
  /** As Node spells it, such as `linux`. */
  readonly platform: string
  /** As Node spells it, such as `x64`. */
  readonly architecture: string
  /** The backends that the runtime says it was built for; one that is not bundled needs further libraries. */
  readonly backends: readonly BackendFacts[]
  /** The libraries that a provider outside the runtime needs, the provider's own first. */
  readonly libraries: { readonly cuda: LibraryFacts; readonly tensorrt: LibraryFacts }
  readonly nvidia: NvidiaFacts
  readonly vulkan: VulkanFacts
}

/** A backend as the runtime lists it. */
export interface BackendFacts {
  readonly name: string
  readonly bundled: boolean
}

/** Names of shared libraries by whether the loader would find them. */
export interface LibraryFacts {
  readonly found: readonly string[]
  readonly missing: readonly string[]
}

/** The NVIDIA devices of a machine. */
export interface NvidiaFacts {
  /** A line for each device: its model where the driver says it, else its device node. */
  readonly devices: readonly string[]
  /** The version of the kernel's driver, where it says it. */
  readonly driver: string | null
  /** Whether the environment hides every device from CUDA (`CUDA_VISIBLE_DEVICES` empty or `-1`). */
  readonly hidden: boolean
}

/** What WebGPU stands on where it is not part of the system. */
export interface VulkanFacts {
  /** Whether the loader (`libvulkan.so.1`) is there. */
  readonly loader: boolean
  readonly drivers: readonly VulkanDriver[]
  /** The device nodes of graphics hardware. */
  readonly renderNodes: readonly string[]
}

/** A driver that the Vulkan loader would try. */
export interface VulkanDriver {
  /** Its manifest's file name, such as `nvidia_icd.json`. */
  readonly name: string
  /** Whether it computes on the CPU. */
  readonly software: boolean
  /** Whether the environment names it (`VK_DRIVER_FILES`, `VK_ICD_FILENAMES`); else a folder has it. */
  readonly named: boolean
}
