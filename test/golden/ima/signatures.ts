/**
 * What Linux 7.3.4 with the key in _ima answered to a file that holds `hello` and a newline, whose
 * security.ima is one of these: for each rule the cause, or PASS.
 */
export const certificate = Buffer.from(
  'MIIDFTCCAf2gAwIBAgIUZuwcvLi6GZbCcpkZ6dS3AopfBMUwDQYJKoZIhvcNAQELBQAwFTETMBEGA1UEAwwKaW1hZnMgdGVzdDAeFw0yNjExMjIxNDEyNThaFw0zNjExMTkxNDEyNThaMBUxEzARBgNVBAMMCmltYWZzIHRlc3QwggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQDF3TtAk20/Tqw9Fptjm2L7Mt6uxgdmOrNuIVXvrdSm3aAY+PDK76VBDDy2V+vSvfJqS4D1WB7L1vYCG/XtF52x74wU6ZG4czOfZUyqnRfXf/AWsEJNRcjkoHBuwi2PnA0TbUldkI2lCW+F9nihebrJEAqaNEf6IjjD0VH7/1Trl5aTAPVv/Rsh+OmqKaXddk3bbiG1qTQPWPsynuT468a7oSXF/o8tWC6G6xOBdddxuyGOBeU2ZPzexiiZ487BtSn3G3hX0ddRq0ve1nKeJGnKNsxoq/p+dSWacVldBsWNjZ0gD6EB158s8EdkOJqOL60b6xXRUVF2h75kr9W47AlzAgMBAAGjXTBbMB8GA1UdIwQYMBaAFEbO5SfR9onAWvWg285cZC/Lp2bqMAwGA1UdEwEB/wQCMAAwCwYDVR0PBAQDAgeAMB0GA1UdDgQWBBRGzuUn0faJwFr1oNvOXGQvy6dm6jANBgkqhkiG9w0BAQsFAAOCAQEApQIDLIF8q5ttZ7zOZHIF2rRMFIbagcQ6X68KsiiNAMXBLrzQjkwDS3xOgc7p11rAxCt0ShC2cZJqisBi3SYD5XXiiJNBi17bMorWT2Ah0ez9kzXCXyTVC2YpWgc1kJpkr51/PUbySE5ZRCAgsvfQbRxafihfVftX9Flxw1hu0b3sS4ofQuv1UwU1bMFTfOwQKVI5cMERJrQvegAg5rlAqZ+ApQhGEbY7NwZHGSf79EEwUJguR9L2OrZwPnZmvcurmPlz1QUFl048vaKDKihbOCNwzsW7XRKgxX52DWqaLvo4XUpDtVXu2iX8Jb/43so3rJWo4pzgqDrFJBS/bn2rfw==',
  'base64',
);

export const content = 'hello\n';

export const rules = {
  imasig: 'appraise appraise_type=imasig',
  sigv3: 'appraise appraise_type=sigv3',
  any: 'appraise',
} as const;

export interface SignatureFact {
  readonly name: string;
  /** security.ima in hex */
  readonly xattr: string;
  readonly imasig: string;
  readonly sigv3: string;
  readonly any: string;
}

export const signatures: readonly SignatureFact[] = [
  {
    name: 'v2',
    xattr:
      '030204cba766ea0100673d096f0820f736424a7101c8828cdbe48029eb36326b4fbd5ee5220ecb4910f453914447adf1ae877f0301a547bef88974292cc94f86ddeca7d019e2da9bc03af122e14bec0cf13eb050176be121c1126797e9654213c6f549a756d9a98481c8012fdeef85df6e6d287636e7dfde04c05772a258f48825161328e71f97fe11f3d0d13b246a41eb1e33b173adfdc494997de0f88b5d2f7697249775ae6084403319d2111a2d13e28c605e5a26c1dfbf5a92b21271fe198076a06b03780581eed3ff40c3320ec8fcc7f141bd9a5c8d9be0d3abbe6172b0e443b855cb88ac45a7006fd071bbcf9d0e33801e240cc75f32e0168dde407a564b26b9d437b40e8799',
    imasig: 'PASS',
    sigv3: 'IMA-sigv3-required',
    any: 'PASS',
  },
  {
    name: 'v3',
    xattr:
      '030304cba766ea010052244104d58163ac3df6f7724c4c3b7075af55d9f89b2852018f083e4ae7da615a91a8071cfe99634c84f6dbb91e5d8ab5930f97df76906f31d947acaf4dd835fbf51e3812280715a8e032c3a2089d3100720ca92dbf0513998fa582249c5cac70988f0fe9e8ad9f7a91219086080f58487bad53a62451ba782e4681a7a0a094d064007f115240c453b314dadc288f98f32a4a21f335694d5d6e8b469b63793e31600e63b45c0152212418429702603a789aac410ec040175b23cde9537d3f843fe3b54990d22637d76d57e7f583a26bf895454e08862ae98249c52ee4dbe67596f478cab72ce66c278a1f3a1a1af97a3f3c9e4c5b50c454edea595ca4d60d83',
    imasig: 'PASS',
    sigv3: 'PASS',
    any: 'PASS',
  },
  {
    name: 'v3_over_digest',
    xattr:
      '030304cba766ea0100673d096f0820f736424a7101c8828cdbe48029eb36326b4fbd5ee5220ecb4910f453914447adf1ae877f0301a547bef88974292cc94f86ddeca7d019e2da9bc03af122e14bec0cf13eb050176be121c1126797e9654213c6f549a756d9a98481c8012fdeef85df6e6d287636e7dfde04c05772a258f48825161328e71f97fe11f3d0d13b246a41eb1e33b173adfdc494997de0f88b5d2f7697249775ae6084403319d2111a2d13e28c605e5a26c1dfbf5a92b21271fe198076a06b03780581eed3ff40c3320ec8fcc7f141bd9a5c8d9be0d3abbe6172b0e443b855cb88ac45a7006fd071bbcf9d0e33801e240cc75f32e0168dde407a564b26b9d437b40e8799',
    imasig: 'invalid-signature',
    sigv3: 'invalid-signature',
    any: 'invalid-signature',
  },
  {
    name: 'v2_over_id',
    xattr:
      '030204cba766ea010052244104d58163ac3df6f7724c4c3b7075af55d9f89b2852018f083e4ae7da615a91a8071cfe99634c84f6dbb91e5d8ab5930f97df76906f31d947acaf4dd835fbf51e3812280715a8e032c3a2089d3100720ca92dbf0513998fa582249c5cac70988f0fe9e8ad9f7a91219086080f58487bad53a62451ba782e4681a7a0a094d064007f115240c453b314dadc288f98f32a4a21f335694d5d6e8b469b63793e31600e63b45c0152212418429702603a789aac410ec040175b23cde9537d3f843fe3b54990d22637d76d57e7f583a26bf895454e08862ae98249c52ee4dbe67596f478cab72ce66c278a1f3a1a1af97a3f3c9e4c5b50c454edea595ca4d60d83',
    imasig: 'invalid-signature',
    sigv3: 'IMA-sigv3-required',
    any: 'invalid-signature',
  },
  {
    name: 'v4',
    xattr:
      '030404cba766ea0100673d096f0820f736424a7101c8828cdbe48029eb36326b4fbd5ee5220ecb4910f453914447adf1ae877f0301a547bef88974292cc94f86ddeca7d019e2da9bc03af122e14bec0cf13eb050176be121c1126797e9654213c6f549a756d9a98481c8012fdeef85df6e6d287636e7dfde04c05772a258f48825161328e71f97fe11f3d0d13b246a41eb1e33b173adfdc494997de0f88b5d2f7697249775ae6084403319d2111a2d13e28c605e5a26c1dfbf5a92b21271fe198076a06b03780581eed3ff40c3320ec8fcc7f141bd9a5c8d9be0d3abbe6172b0e443b855cb88ac45a7006fd071bbcf9d0e33801e240cc75f32e0168dde407a564b26b9d437b40e8799',
    imasig: 'invalid-signature-version',
    sigv3: 'invalid-signature-version',
    any: 'invalid-signature-version',
  },
  {
    name: 'v1',
    xattr:
      '030104cba766ea0100673d096f0820f736424a7101c8828cdbe48029eb36326b4fbd5ee5220ecb4910f453914447adf1ae877f0301a547bef88974292cc94f86ddeca7d019e2da9bc03af122e14bec0cf13eb050176be121c1126797e9654213c6f549a756d9a98481c8012fdeef85df6e6d287636e7dfde04c05772a258f48825161328e71f97fe11f3d0d13b246a41eb1e33b173adfdc494997de0f88b5d2f7697249775ae6084403319d2111a2d13e28c605e5a26c1dfbf5a92b21271fe198076a06b03780581eed3ff40c3320ec8fcc7f141bd9a5c8d9be0d3abbe6172b0e443b855cb88ac45a7006fd071bbcf9d0e33801e240cc75f32e0168dde407a564b26b9d437b40e8799',
    imasig: 'invalid-signature',
    sigv3: 'IMA-sigv3-required',
    any: 'invalid-signature',
  },
  {
    name: 'v0',
    xattr:
      '030004cba766ea0100673d096f0820f736424a7101c8828cdbe48029eb36326b4fbd5ee5220ecb4910f453914447adf1ae877f0301a547bef88974292cc94f86ddeca7d019e2da9bc03af122e14bec0cf13eb050176be121c1126797e9654213c6f549a756d9a98481c8012fdeef85df6e6d287636e7dfde04c05772a258f48825161328e71f97fe11f3d0d13b246a41eb1e33b173adfdc494997de0f88b5d2f7697249775ae6084403319d2111a2d13e28c605e5a26c1dfbf5a92b21271fe198076a06b03780581eed3ff40c3320ec8fcc7f141bd9a5c8d9be0d3abbe6172b0e443b855cb88ac45a7006fd071bbcf9d0e33801e240cc75f32e0168dde407a564b26b9d437b40e8799',
    imasig: 'unknown',
    sigv3: 'IMA-sigv3-required',
    any: 'unknown',
  },
  {
    name: 'badsize',
    xattr:
      '030204cba766ea00ff673d096f0820f736424a7101c8828cdbe48029eb36326b4fbd5ee5220ecb4910f453914447adf1ae877f0301a547bef88974292cc94f86ddeca7d019e2da9bc03af122e14bec0cf13eb050176be121c1126797e9654213c6f549a756d9a98481c8012fdeef85df6e6d287636e7dfde04c05772a258f48825161328e71f97fe11f3d0d13b246a41eb1e33b173adfdc494997de0f88b5d2f7697249775ae6084403319d2111a2d13e28c605e5a26c1dfbf5a92b21271fe198076a06b03780581eed3ff40c3320ec8fcc7f141bd9a5c8d9be0d3abbe6172b0e443b855cb88ac45a7006fd071bbcf9d0e33801e240cc75f32e0168dde407a564b26b9d437b40e8799',
    imasig: 'invalid-signature',
    sigv3: 'IMA-sigv3-required',
    any: 'invalid-signature',
  },
  {
    name: 'badkey',
    xattr:
      '030204010203040100673d096f0820f736424a7101c8828cdbe48029eb36326b4fbd5ee5220ecb4910f453914447adf1ae877f0301a547bef88974292cc94f86ddeca7d019e2da9bc03af122e14bec0cf13eb050176be121c1126797e9654213c6f549a756d9a98481c8012fdeef85df6e6d287636e7dfde04c05772a258f48825161328e71f97fe11f3d0d13b246a41eb1e33b173adfdc494997de0f88b5d2f7697249775ae6084403319d2111a2d13e28c605e5a26c1dfbf5a92b21271fe198076a06b03780581eed3ff40c3320ec8fcc7f141bd9a5c8d9be0d3abbe6172b0e443b855cb88ac45a7006fd071bbcf9d0e33801e240cc75f32e0168dde407a564b26b9d437b40e8799',
    imasig: 'invalid-signature',
    sigv3: 'IMA-sigv3-required',
    any: 'invalid-signature',
  },
  {
    name: 'algo5',
    xattr:
      '030205cba766ea0100673d096f0820f736424a7101c8828cdbe48029eb36326b4fbd5ee5220ecb4910f453914447adf1ae877f0301a547bef88974292cc94f86ddeca7d019e2da9bc03af122e14bec0cf13eb050176be121c1126797e9654213c6f549a756d9a98481c8012fdeef85df6e6d287636e7dfde04c05772a258f48825161328e71f97fe11f3d0d13b246a41eb1e33b173adfdc494997de0f88b5d2f7697249775ae6084403319d2111a2d13e28c605e5a26c1dfbf5a92b21271fe198076a06b03780581eed3ff40c3320ec8fcc7f141bd9a5c8d9be0d3abbe6172b0e443b855cb88ac45a7006fd071bbcf9d0e33801e240cc75f32e0168dde407a564b26b9d437b40e8799',
    imasig: 'invalid-signature',
    sigv3: 'IMA-sigv3-required',
    any: 'invalid-signature',
  },
  {
    name: 'algoff',
    xattr:
      '0302ffcba766ea0100673d096f0820f736424a7101c8828cdbe48029eb36326b4fbd5ee5220ecb4910f453914447adf1ae877f0301a547bef88974292cc94f86ddeca7d019e2da9bc03af122e14bec0cf13eb050176be121c1126797e9654213c6f549a756d9a98481c8012fdeef85df6e6d287636e7dfde04c05772a258f48825161328e71f97fe11f3d0d13b246a41eb1e33b173adfdc494997de0f88b5d2f7697249775ae6084403319d2111a2d13e28c605e5a26c1dfbf5a92b21271fe198076a06b03780581eed3ff40c3320ec8fcc7f141bd9a5c8d9be0d3abbe6172b0e443b855cb88ac45a7006fd071bbcf9d0e33801e240cc75f32e0168dde407a564b26b9d437b40e8799',
    imasig: 'invalid-signature',
    sigv3: 'IMA-sigv3-required',
    any: 'invalid-signature',
  },
  {
    name: 'short',
    xattr: '030204cba766ea0000',
    imasig: 'invalid-signature',
    sigv3: 'IMA-sigv3-required',
    any: 'invalid-signature',
  },
  {
    name: 'hdr8',
    xattr: '0302040102',
    imasig: 'invalid-signature',
    sigv3: 'IMA-sigv3-required',
    any: 'invalid-signature',
  },
  {
    name: 'only',
    xattr: '03',
    imasig: 'invalid-signature',
    sigv3: 'IMA-sigv3-required',
    any: 'invalid-signature',
  },
  {
    name: 'v6_3',
    xattr:
      '060304cba766ea01005e554eac7436432c4e9bec635eb5e3e60dbfd38f28d55377c724dd4236850b2d2776ed4aebba1bf5058e992016a1e76bd6df9b3aabc44bef2ea0191df10a10877484468548657287552f69f18b1933c8aca07d56508fd11415df19a5a5571f340a36503dd5b5cb3ad3e9647356791c7d63f058f882e47b900f574987b149049feabd10ccaf3e06bc979aca41e0ea1913e025c7fd0a41379f759a33b2736f93edb30d6f1e54c7643775425b1d43815a70303703b1915c4f7d40f8ecf35682e932f02048b77cf63bf257e66da718ed854c4a9b2e5d2d805a5c9c66e82bdc6c0ce7247c5e0b6a6d936dc7f1f2f571807b2eb001f018cc4589400bcb98b16f88ed6b',
    imasig: 'IMA-signature-required',
    sigv3: 'IMA-signature-required',
    any: 'PASS',
  },
  {
    name: 'v6_2',
    xattr:
      '060204cba766ea0100673d096f0820f736424a7101c8828cdbe48029eb36326b4fbd5ee5220ecb4910f453914447adf1ae877f0301a547bef88974292cc94f86ddeca7d019e2da9bc03af122e14bec0cf13eb050176be121c1126797e9654213c6f549a756d9a98481c8012fdeef85df6e6d287636e7dfde04c05772a258f48825161328e71f97fe11f3d0d13b246a41eb1e33b173adfdc494997de0f88b5d2f7697249775ae6084403319d2111a2d13e28c605e5a26c1dfbf5a92b21271fe198076a06b03780581eed3ff40c3320ec8fcc7f141bd9a5c8d9be0d3abbe6172b0e443b855cb88ac45a7006fd071bbcf9d0e33801e240cc75f32e0168dde407a564b26b9d437b40e8799',
    imasig: 'IMA-signature-required',
    sigv3: 'IMA-signature-required',
    any: 'invalid-signature-version',
  },
  {
    name: 'tail',
    xattr:
      '030204cba766ea0100673d096f0820f736424a7101c8828cdbe48029eb36326b4fbd5ee5220ecb4910f453914447adf1ae877f0301a547bef88974292cc94f86ddeca7d019e2da9bc03af122e14bec0cf13eb050176be121c1126797e9654213c6f549a756d9a98481c8012fdeef85df6e6d287636e7dfde04c05772a258f48825161328e71f97fe11f3d0d13b246a41eb1e33b173adfdc494997de0f88b5d2f7697249775ae6084403319d2111a2d13e28c605e5a26c1dfbf5a92b21271fe198076a06b03780581eed3ff40c3320ec8fcc7f141bd9a5c8d9be0d3abbe6172b0e443b855cb88ac45a7006fd071bbcf9d0e33801e240cc75f32e0168dde407a564b26b9d437b40e879900',
    imasig: 'invalid-signature',
    sigv3: 'IMA-sigv3-required',
    any: 'invalid-signature',
  },
  {
    name: 'digest',
    xattr: '04045891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03',
    imasig: 'IMA-signature-required',
    sigv3: 'IMA-signature-required',
    any: 'PASS',
  },
  {
    name: 'v3bad',
    xattr:
      '030304cba766ea010052244104d58163ac3df6f7724c4c3b7075af55d9f89b2852018f083e4ae7da615a91a8071cfe99634c84f6dbb91e5d8ab5930f97df76906f31d947acaf4dd835fbf51e3812280715a8e032c3a2089d3100720ca92dbf0513998fa582249c5cac70988f0fe9e8ad9f7a91219086080f58487bad53a62451ba782e4681a7a0a094d064007f115240c453b314dadc288f98f32a4a21f335694d5d6e8b469b63793e31600e63b45c0152212418429702603a789aac410ec040175b23cde9537d3f843fe3b54990d22637d76d57e7f583a26bf895454e08862ae98249c52ee4dbe67596f478cab72ce66c278a1f3a1a1af97a3f3c9e4c5b50c454edea595ca4d60d00',
    imasig: 'invalid-signature',
    sigv3: 'invalid-signature',
    any: 'invalid-signature',
  },
];
