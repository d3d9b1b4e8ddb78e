#!/usr/bin/env bash
# Writes a kubeconfig whose user asks GitHub for a fresh token at every call, so that nothing lasting is stored and a
# canary may take longer than a token lives.
#
#   cluster-access.sh SERVER AUTHORITIES KUBECONFIG
#
# Needs `id-token: write`, which sets ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN; curl, jq, kubectl.
# The token's audience is castor-deploy, its subject repo:<owner>/<repository>:environment:<environment>.
set -euo pipefail

server=$1 authorities=$2 file=$3
umask 077
cat > "$file.token" <<'TOKEN'
#!/usr/bin/env bash
set -euo pipefail
curl --fail --silent --show-error --retry 3 --header "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \
  "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=castor-deploy" \
  | jq '{apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential",
      status: {token: .value, expirationTimestamp: (now + 240 | todate)}}'
TOKEN
chmod 700 "$file.token"
printf '%s\n' "$authorities" > "$file.ca"

export KUBECONFIG=$file
kubectl config set-cluster castor --server "$server" --certificate-authority "$file.ca" --embed-certs
kubectl config set-credentials github --exec-api-version client.authentication.k8s.io/v1 \
  --exec-command "$file.token" --exec-interactive-mode Never
kubectl config set-context castor --cluster castor --user github --namespace castor
kubectl config use-context castor
