# A node of the compatibility suite and of the fault stories: PostgreSQL with the reference repmgr of the same Debian
# release, and tsrepmgr beside it; iptables cuts links in the stories, and libfaketime
# sets clocks.
ARG BASE_IMAGE=debian:trixie-slim
FROM ${BASE_IMAGE}
ARG PG_VERSION=17
RUN mkdir -p /etc/postgresql-common/createcluster.d \
 && echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.d/tsrepmgr.conf \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      postgresql-${PG_VERSION} postgresql-${PG_VERSION}-repmgr repmgr openssh-server openssh-client rsync iptables \
      libfaketime \
 && rm -rf /var/lib/apt/lists/* /etc/ssh/ssh_host_*_key* \
 && mkdir -p /run/sshd /opt/reference/bin /opt/ours/bin \
 && ln -s /usr/lib/postgresql/${PG_VERSION}/bin/repmgr /opt/reference/bin/repmgr \
 && ln -s /usr/lib/postgresql/${PG_VERSION}/bin/repmgrd /opt/reference/bin/repmgrd \
 && ln -s /opt/tsrepmgr/bin/tsrepmgr.js /opt/ours/bin/repmgr \
 && ln -s /opt/tsrepmgr/bin/tsrepmgrd.js /opt/ours/bin/repmgrd
# The context's bin/ holds a `node`, too: Debian 12 has none that is new enough.
COPY bin/node /opt/tsrepmgr/bin/node
COPY bin /opt/tsrepmgr/bin
COPY package.json /opt/tsrepmgr/
COPY dist /opt/tsrepmgr/dist
RUN chmod -R a+rX /opt/tsrepmgr
CMD ["/bin/sh", "-c", "ssh-keygen -A && exec /usr/sbin/sshd -D -e"]
