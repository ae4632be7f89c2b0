# The service on the hosts of the comparison: small, so that the tools are measured and not its start.
# perl service.pl APP ADDRESS PORT: listens, then leaves a process behind with its PID in run/app.pid, and answers UP.
# Without modules, whose loading would be most of its start: Linux's numbers for the few constants it needs.
my ($inet, $stream, $socket, $reuse) = (2, 1, 1, 2);    # AF_INET, SOCK_STREAM, SOL_SOCKET, SO_REUSEADDR
my ($app, $address, $port) = @ARGV;
my $place = pack 'S n C4 x8', $inet, $port, split /\./, $address;
socket LISTENER, $inet, $stream, 0 or die $!;
setsockopt LISTENER, $socket, $reuse, pack('l', 1) or die $!;
bind LISTENER, $place or die "can't listen on $address:$port: $!\n";
listen LISTENER, 64 or die $!;
my $child = fork;
defined $child or die "can't fork: $!\n";
if ($child) {
    open my $pid, '>', "$app/run/app.pid" or die $!;
    print $pid "$child\n";
    exit 0;
}
open STDIN, '<', '/dev/null' or die $!;
open STDOUT, '>>', "$app/logs/catalina.out" or die $!;
open STDERR, '>&', STDOUT or die $!;
$| = 1;
$SIG{PIPE} = 'IGNORE';
print "INFO: Server startup in [1] milliseconds\n";
while (1) {
    accept my $line, LISTENER or next;
    sysread $line, my $request, 4096;
    my $body = "{\"status\": \"UP\"}\n";
    syswrite $line, "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
    close $line;
}
