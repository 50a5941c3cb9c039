import { BridgeError } from '../../src/errors';
import { DEVICES } from '../../src/engine/engine';
import { chooseDevice, deviceCandidates, parseDevice } from '../../src/engine/devices';
import { createEngineClient } from '../../src/engine/engineClient';

test.each(['gpu', 'CPU', 'cuda ', '', 'bogus', 'toString'])(
  'a misspelt device %p is refused',
  async (text) => {
    expect(() => parseDevice(text)).toThrow(BridgeError);
    await expect(createEngineClient({ device: text })).rejects.toMatchObject({
      errorName: 'DeviceUnavailable',
    });
  },
);

test.each(
  DEVICES.flatMap((device) => (['linux', 'darwin', 'win32'] as const).map((os) => [device, os] as const)),
)('candidates of %s on %s begin with what was asked and end with cpu', (device, os) => {
  const candidates = deviceCandidates(device, os);
  expect(candidates.at(-1)).toBe('cpu');
  if (device !== 'auto') expect(candidates[0]).toBe(device);
  expect(new Set(candidates).size).toBe(candidates.length);
  expect(candidates).not.toContain('auto');
});

test('the first device that works is used; each one before it has its reason; excluded ones are not tried', async () => {
  const asked: string[] = [];
  const choice = await chooseDevice(['cuda', 'webgpu', 'cpu'], { webgpu: 'died' }, async (device) => {
    asked.push(device);
    if (device === 'cuda') throw new Error('no such library');
  });
  expect(asked).toEqual(['cuda', 'cpu']);
  expect(choice).toEqual({
    used: 'cpu',
    tried: [
      { device: 'cuda', ok: false, reason: 'no such library' },
      { device: 'webgpu', ok: false, reason: 'died' },
      { device: 'cpu', ok: true },
    ],
  });
});

test('no device at all is DeviceUnavailable', async () => {
  await expect(chooseDevice(['cpu'], {}, () => Promise.reject(new Error('no')))).rejects.toMatchObject({
    errorName: 'DeviceUnavailable',
    data: { tried: [{ device: 'cpu', ok: false, reason: 'no' }] },
  });
});

test('a device this machine lacks falls back to cpu with a reason, in the status and the log', async () => {
  // This platform's build never has the other platform's provider.
  const absent = process.platform === 'win32' ? 'coreml' : 'dml';
  let log = '';
  const engine = await createEngineClient({ device: absent, log: (text) => (log += text) });
  try {
    const { device } = await engine.status();
    expect(device).toMatchObject({ requested: absent, used: 'cpu' });
    expect(device.tried).toEqual([
      { device: absent, ok: false, reason: expect.stringMatching(/./) as string },
      { device: 'cpu', ok: true },
    ]);
    expect(log).toContain(`device ${absent} does not work: `);
  } finally {
    await engine.close();
  }
});
