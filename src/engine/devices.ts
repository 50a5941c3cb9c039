import { BridgeError } from '../errors';
import { DEVICES, type Device } from './engine';
import type { DeviceTrial } from './engineMessages';

/**
 * A device name as typed by a user.
 * @throws BridgeError `DeviceUnavailable` on anything but a name of `DEVICES`: ONNX Runtime would take a misspelt provider
 * for the CPU with no more than a console warning.
 */
export function parseDevice(text: string): Device {
  const device = DEVICES.find((name) => name === text);
  if (device === undefined) {
    throw new BridgeError('DeviceUnavailable', `there is no device "${text}"`, {
      hint: `use one of ${DEVICES.join(', ')}`,
      device: text,
    });
  }
  return device;
}

/** The devices to try for `requested` on `platform` (Node's name of it), best first; the last one is always `cpu`. */
export function deviceCandidates(requested: Device, platform: NodeJS.Platform): readonly Device[] {
  if (requested === 'cpu') return ['cpu'];
  if (requested !== 'auto') return [requested, 'cpu'];
  if (platform === 'win32') return ['dml', 'webgpu', 'cpu'];
  if (platform === 'darwin') return ['webgpu', 'coreml', 'cpu'];
  return ['cuda', 'webgpu', 'cpu'];
}

/**
 * Tries `candidates` in order until one works. `attempt` rejects when a device does not work; `excluded` names devices
 * not to be tried again, with the reason (an earlier process died on them).
 * @throws BridgeError `DeviceUnavailable` when not even the last one works.
 */
export async function chooseDevice(
  candidates: readonly Device[],
  excluded: Readonly<Record<string, string>>,
  attempt: (device: Device) => Promise<void>,
): Promise<{ used: Device; tried: readonly DeviceTrial[] }> {
  const tried: DeviceTrial[] = [];
  for (const device of candidates) {
    const known = excluded[device];
    if (known !== undefined) {
      tried.push({ device, ok: false, reason: known });
      continue;
    }
    try {
      await attempt(device);
      tried.push({ device, ok: true });
      return { used: device, tried };
    } catch (error) {
      tried.push({ device, ok: false, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  throw new BridgeError('DeviceUnavailable', 'no device can run a model, not even the CPU', {
    hint: 'reinstall onnxruntime-node; `tried` says what each device answered',
    tried,
  });
}

/** The graph every device is tried with: y = Relu(x · x), x and y float32 [2, 2]. ONNX, IR 8, opset 17. */
export const PROBE_GRAPH: Uint8Array = new Uint8Array(
  Buffer.from(
    'CAgSADpSChEKAXgKAXgSAXAiBk1hdE11bAoMCgFwEgF5IgRSZWx1EgVwcm9iZVoTCgF4Eg4KDAgBEggKAggCCgIIAmITCgF5Eg4KDAgBEggKAggCCgIIAkIECgAQEQ==',
    'base64',
  ),
);

/** Input of `PROBE_GRAPH`, and the output any working device gives for it, exactly. */
export const PROBE = { x: [1, 2, 3, -4], y: [7, 0, 0, 22] } as const;
