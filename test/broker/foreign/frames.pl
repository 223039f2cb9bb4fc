# A client of the TCP door in Perl, with nothing but its core modules: publishes, consumes, acknowledges and subscribes.
# Usage: perl frames.pl PORT NAMESPACE; prints one line of JSON for each answer and event.
use strict;
use warnings;
use IO::Socket::INET;

my ($port, $namespace) = @ARGV;
my $where = qq("namespace":"$namespace","topic":"orders");
my $broker = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or die "cannot connect: $!";
binmode STDOUT;
$| = 1;

sub take {
    my ($size) = @_;
    my $taken = '';
    while (length $taken < $size) {
        $broker->sysread($taken, $size - length $taken, length $taken) or die "the broker has closed";
    }
    return $taken;
}

sub receive {
    my ($length, $encoding) = unpack 'N C', take(5);
    my $text = take($length);
    print "$text\n";
    return $text;
}

sub tell_broker {
    my ($action, $data) = @_;
    my $payload = qq({"action":"$action","id":"$action","data":{$where$data}});
    $broker->syswrite(pack('N C', length $payload, 0) . $payload);
}

sub ask {
    tell_broker(@_);
    return receive();
}

ask('publish', qq(,"payload":{"text":"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80","number":1.5},"headers":{"from":"elsewhere"}));
my ($receipt) = ask('consume', ',"batch_size":5') =~ /"receipt":"([^"]+)"/ or die "no message";
ask('ack', qq(,"message_ids":["$receipt"]));
ask('subscribe', ',"auto_ack":true');
tell_broker('publish', ',"payload":"pushed"');
receive();
receive();
