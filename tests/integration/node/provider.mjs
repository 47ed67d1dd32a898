// SPDX-License-Identifier: EUPL-1.2
// An identity provider for oidc.py: provider.mjs PORT KEY CERTIFICATE ALGORITHM KID REDIRECT.
// Whoever logs in is that, without a look at the password. Prints "ready".
import crypto from "node:crypto";
import fs from "node:fs";
import https from "node:https";

// Modules are not looked for where NODE_PATH says.
const { Provider } = await import(`${process.env.NODE_PATH}/oidc-provider/lib/index.js`);

const [port, key, certificate, algorithm, kid, redirect] = process.argv.slice(2);
const kinds = { RS256: ["rsa", { modulusLength: 2048 }], ES256: ["ec", { namedCurve: "P-256" }], EdDSA: ["ed25519", {}] };

function makeKey(name) {
    const [kind, options] = kinds[name];
    return { ...crypto.generateKeyPairSync(kind, options).privateKey.export({ format: "jwk" }), alg: name, use: "sig", kid: `${kid}-${name}` };
}

// RS256 has to be there for the provider itself.
const keys = [...new Set(["RS256", algorithm])].map(makeKey);
const provider = new Provider(`https://127.0.0.1:${port}`, {
    clients: [{
        client_id: "vaka", client_secret: "a/secret&more=%", redirect_uris: [redirect], response_types: ["code"],
        grant_types: ["authorization_code"], token_endpoint_auth_method: "client_secret_post",
        id_token_signed_response_alg: algorithm,
    }],
    jwks: { keys },
    acrValues: ["one", "two", "three"],
    cookies: { keys: ["for tests"] },
    claims: { openid: ["sub", "groups"], profile: ["name"], email: ["email"] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    enabledJWA: { idTokenSigningAlgValues: ["RS256", "ES256", "EdDSA"] },
    async findAccount(_, id) {
        return { accountId: id, claims: async () => ({ sub: id, name: `Name of ${id}`, email: `${id}@example.se`, groups: ["soc", "on call"] }) };
    },
});
// Whose name begins with "two" logs in by two factors, all others by one.
const finish = provider.interactionFinished.bind(provider);
provider.interactionFinished = (request, response, result, options) => {
    const login = result.login && { ...result.login, acr: result.login.accountId.startsWith("two") ? "two" : "one" };
    return finish(request, response, login ? { ...result, login } : result, options);
};
https.createServer({ key: fs.readFileSync(key), cert: fs.readFileSync(certificate) }, provider.callback())
    .listen(Number(port), "127.0.0.1", () => console.log("ready"));
